import { expect, test } from 'vitest'
import { FAULTS } from './faults.js'

test.each(FAULTS)('$name: $how', { timeout: 120_000 }, async ({ name, run }) => {
  const outcome = await run('short')
  console.log(name, outcome)
  expect(outcome.kind).not.toBe('failed')
})
