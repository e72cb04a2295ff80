/** What the table is worth: each step of the write path is switched off in turn, and a row has to notice. */

import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { canTrace } from '../../support/tools.js'
import { order } from '../rows/order.js'
import { powerLoss } from '../rows/power-loss.js'
import { compiled, findMarks, mutated, readSource } from './marks.js'
import { type Mutation, MUTATIONS } from './mutations.js'
import { compiledPath, ROOT, runOnCopy, type TableRun } from './product-copy.js'

const ROWS = [order.name, powerLoss.name]
const TIMEOUT = 120_000
const traceable = canTrace()
const marks = findMarks()

test(`${ROWS.join(' and ')} pass on a copy without a mutation`, { concurrent: true, timeout: TIMEOUT }, async () => {
  const { code, lines, output } = await runOnCopy(ROWS)
  expect(code, output).toBe(0)
  for (const row of ROWS) expect(traceable ? ['passed'] : ['passed', 'skipped'], output).toContain(lines.get(row)?.kind)
})

for (const mutation of MUTATIONS) {
  const { mark, row, sign, untraced = false } = mutation
  const options = { concurrent: true, skip: !untraced && !traceable, timeout: TIMEOUT }
  test(`${row.name} fails with the mutation ${mark}`, options, async () => {
    const { code, lines, output } = await runMutated(mutation)
    const line = lines.get(row.name)
    expect(line?.kind, output).toBe('failed')
    expect(line?.message).toMatch(sign)
    expect(code).toBe(1)
    console.log(`${mark}: noticed by ${row.name}: ${sign.exec(line?.message ?? '')?.[0]}`)
  })
}

describe('the marks in src', () => {
  it('are those that the mutations name', () => {
    expect([...marks.keys()].sort()).toEqual(MUTATIONS.map(({ mark }) => mark).sort())
  })

  it.each([...new Set(marks.values())])('stand in %s, which is compiled as the build does it', (file) => {
    expect(compiled(readSource(file), file)).toBe(readFileSync(compiledPath(ROOT, file), 'utf8'))
  })
})

describe('mutated', () => {
  const text = ['f()', '// Why.', '// mutation: one', '// mutation: two', 'if (a) f()', 'const b = c'].join('\n')
  const marked = (statement: string) => `function g() {\n  // mutation: one\n  ${statement}\n  h()\n}`

  it('removes the statement below the mark', () => {
    expect(mutated(text, 'one', 'removed')).toBe(text.replace('if (a) f()', ';'))
    expect(mutated(marked('f(\n1)'), 'one', 'removed')).toBe(marked(';'))
  })

  it.each([
    ['a condition', 'if (a) f()', 'if (!(a)) f()'],
    ['an initialiser', 'const b = a', 'const b = !(a)'],
    ['what is returned', 'return a', 'return !(a)'],
  ])('replaces %s', (_, before, after) => {
    expect(mutated(marked(before), 'one', (expression) => `!(${expression})`)).toBe(marked(after))
  })

  it.each([
    ['that is missing', text, 'the mark three stands 0 times'],
    ['that is there twice', '// mutation: three\nf()\n// mutation: three\nf()', 'the mark three stands 2 times'],
    ['above no statement', 'class A {\n  // mutation: three\n  b = 1\n}', 'above no statement'],
    ['above no single expression', '// mutation: three\nlet a = 1, b = 2', 'has no one expression to change'],
  ])('refuses a mark %s', (_, source, because) => {
    expect(() => mutated(source, 'three', () => '1')).toThrow(because)
  })
})

function runMutated({ mark, change, row }: Mutation): Promise<TableRun> {
  const file = marks.get(mark)
  if (file === undefined) throw new Error(`there is no mark ${mark} in src`)
  return runOnCopy([row.name], { file, compiled: compiled(mutated(readSource(file), mark, change), file) })
}
