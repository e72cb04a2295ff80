/** Milliseconds between two looks beyond which the service was not there to be heard: stopped, or starved. */
const LONGEST_STEP = 2_000

/**
 * The time that leases run by: milliseconds in which the service was there to hear a heartbeat. Monotonic, so a wall clock
 * that jumps ends no lease; and a process that was stopped for a minute takes no lease away on account of that minute.
 */
export class LeaseClock {
  private time = 0
  private last: number

  /** @param monotonic milliseconds from any origin, never going back */
  constructor(private readonly monotonic: () => number) {
    this.last = monotonic()
  }

  /** To be asked more often than every two seconds: a longer step counts for no more. */
  now(): number {
    const now = this.monotonic()
    this.time += Math.min(now - this.last, LONGEST_STEP)
    this.last = now
    return this.time
  }
}
