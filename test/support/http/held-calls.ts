import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'

/** Milliseconds: long enough for a call that does not wait to be answered. */
const MOMENT = 150

/** Expects that the call is held. */
export async function expectHeld(call: Promise<unknown>): Promise<void> {
  expect(await Promise.race([call.then(() => 'answered'), sleep(MOMENT, 'held')])).toBe('held')
}

/** Expects that calls which are held leave no timer behind when their clients go away. */
export async function expectNoneLeft(calls: number, call: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  const before = timers()
  const clients = new AbortController()
  const held = Array.from({ length: calls }, () => call(clients.signal).catch(() => null))
  await expect.poll(timers).toBeGreaterThanOrEqual(before + calls)
  clients.abort()
  await Promise.all(held)
  await expect.poll(timers).toBeLessThan(before + calls / 2)
}
