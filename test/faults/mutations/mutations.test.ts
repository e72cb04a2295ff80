import { expect, test } from 'vitest'
import { order } from './rows/order.js'
import { powerLoss } from './rows/power-loss.js'
import { canTrace } from '../support/tools.js'
import { MUTATIONS, mutated } from './mutations.js'
import { ProductCopy, type TableRun } from './product-copy.js'

/** What the table is worth: each step of the write path is switched off in turn, and a row has to notice. */

/** The quickest, to see that a copy works: all rows run on the product itself in faults.test.ts. */
const ROWS = [order.name, powerLoss.name]
const TIMEOUT = 120_000
const traceable = canTrace()

test(`nothing switched off: ${ROWS.join(', ')} pass`, { concurrent: true, timeout: TIMEOUT }, async () => {
  const { code, lines, output } = await runCopy(ROWS)
  expect(code, output).toBe(0)
  for (const row of ROWS) expect(traceable ? ['passed'] : ['passed', 'skipped'], output).toContain(lines.get(row)?.kind)
})

for (const mutation of MUTATIONS) {
  const { name, row, sign, traced } = mutation
  const options = { concurrent: true, skip: traced && !traceable, timeout: TIMEOUT }
  test(`${name}: ${row.name} fails`, options, async () => {
    const { code, lines, output } = await runCopy([row.name], (copy) => copy.mutate(mutation))
    const line = lines.get(row.name)
    expect(line?.kind, output).toBe('failed')
    expect(line?.told).toMatch(sign)
    expect(code).toBe(1)
    console.log(`${name}: noticed by ${row.name}: ${sign.exec(line?.told ?? '')?.[0]}`)
  })
}

test('a mutation that does not fit any more is an error', () => {
  const mutation = { name: 'one', file: 'a.js', find: 'b', replace: '$&' }
  expect(mutated('abc', mutation)).toBe('a$&c')
  expect(() => mutated('ac', mutation)).toThrow('"one" no longer fits: dist/a.js has its text 0 times')
  expect(() => mutated('abcb', mutation)).toThrow('2 times')
})

async function runCopy(
  rows: readonly string[],
  prepare: (copy: ProductCopy) => void = () => undefined,
): Promise<TableRun> {
  const copy = new ProductCopy()
  try {
    prepare(copy)
    return await copy.run(rows)
  } finally {
    copy.remove()
  }
}
