import { expect, test } from 'vitest'
import { FAULTS } from './faults.js'

// Two at a time: a row mostly waits for what it started.
test.concurrent.each(FAULTS)('$name: $how', { timeout: 120_000 }, async ({ name, run }) => {
  const outcome = await run('short')
  console.log(name, outcome)
  expect(outcome.kind, JSON.stringify(outcome)).not.toBe('failed')
})
