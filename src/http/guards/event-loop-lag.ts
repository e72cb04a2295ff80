const INTERVAL = 250

/**
 * By how many milliseconds the event loop is late: at the last tick, or now if the next tick is overdue. Node's own
 * histogram gives a mean over many short turns, which hides one turn of a second.
 */
export class EventLoopLag {
  private due = Infinity
  private last = 0
  private timer: NodeJS.Timeout | undefined

  /** Begins to measure; the lag is 0 until then. */
  start(): void {
    this.due = performance.now() + INTERVAL
    this.timer = setInterval(() => this.tick(), INTERVAL)
    this.timer.unref()
  }

  get milliseconds(): number {
    return Math.max(this.last, performance.now() - this.due)
  }

  close(): void {
    clearInterval(this.timer)
  }

  private tick(): void {
    const now = performance.now()
    this.last = Math.max(0, now - this.due)
    this.due = now + INTERVAL
  }
}
