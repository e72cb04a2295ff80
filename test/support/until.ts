import { setTimeout as sleep } from 'node:timers/promises'
import { TIME_LIMIT } from './time-limit.js'

/**
 * Polls until it is true.
 * @throws Error naming what was waited for
 */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>, limit = TIME_LIMIT): Promise<void> {
  const deadline = performance.now() + limit
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${limit / 1000} s`)
    await sleep(10)
  }
}
