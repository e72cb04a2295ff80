/** Milliseconds between two calls beyond which the service could not receive heartbeats: it was stopped, or starved. */
const LONGEST_STEP = 2_000

/**
 * The time of leases: milliseconds in which the service could receive a heartbeat. A wall clock that jumps ends no lease, nor does
 * a minute for which the process was stopped.
 */
export class LeaseClock {
  private time = 0
  private last: number

  /** @param monotonic milliseconds from any origin, never going back */
  constructor(private readonly monotonic: () => number) {
    this.last = monotonic()
  }

  /** To be called at least every two seconds: a longer step counts as two. */
  now(): number {
    const now = this.monotonic()
    this.time += Math.min(now - this.last, LONGEST_STEP)
    this.last = now
    return this.time
  }
}
