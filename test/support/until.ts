import { setTimeout as sleep } from 'node:timers/promises'
import { PATIENCE } from './patience.js'

/**
 * Looks again and again until it is true.
 * @throws Error naming what was waited for
 */
export async function until(what: string, isTrue: () => boolean, patience = PATIENCE): Promise<void> {
  const deadline = performance.now() + patience
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${patience / 1000} s`)
    await sleep(10)
  }
}
