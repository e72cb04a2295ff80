import { expect, test } from 'vitest'
import { runFault } from './fault.js'
import { diskFull } from './rows/disk-full.js'
import { order } from './rows/order.js'
import { powerLoss } from './rows/power-loss.js'

/** The rows that are quickest and see most of what breaks the write path. `.ci/run` runs all of them, and longer. */
const QUICK = [order, powerLoss, diskFull]

test.concurrent.each(QUICK)('the service withstands $name: $how', async (fault) => {
  const outcome = await runFault(fault, 'short')
  console.log(fault.name, outcome)
  expect(outcome.kind, JSON.stringify(outcome)).not.toBe('failed')
})
