import { expect, test } from 'vitest'
import { LeaseClock } from '#campaignd/repository/file/leases/lease-clock.js'

test('goes with the monotonic clock, from whatever that begins at', () => {
  let monotonic = 70_000
  const clock = new LeaseClock(() => monotonic)
  expect(clock.now()).toBe(0)
  monotonic += 500
  expect(clock.now()).toBe(500)
  monotonic += 1500
  expect(clock.now()).toBe(2000)
})

test('counts no more than two seconds of a time in which nobody looked: the service was not there to be heard', () => {
  let monotonic = 0
  const clock = new LeaseClock(() => monotonic)
  monotonic += 60_000
  expect(clock.now()).toBe(2000)
  monotonic += 100
  expect(clock.now()).toBe(2100)
})
