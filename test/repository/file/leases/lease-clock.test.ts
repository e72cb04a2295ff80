import { expect, test } from 'vitest'
import { LeaseClock } from '#campaignd/repository/file/leases/lease-clock.js'

test('the lease clock follows the monotonic clock, whatever its origin', () => {
  let monotonic = 70_000
  const clock = new LeaseClock(() => monotonic)
  expect(clock.now()).toBe(0)
  monotonic += 500
  expect(clock.now()).toBe(500)
  monotonic += 1500
  expect(clock.now()).toBe(2000)
})

test('the lease clock counts at most two seconds between two readings: the service could not receive heartbeats', () => {
  let monotonic = 0
  const clock = new LeaseClock(() => monotonic)
  monotonic += 60_000
  expect(clock.now()).toBe(2000)
  monotonic += 100
  expect(clock.now()).toBe(2100)
})
