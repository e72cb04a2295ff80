const INTERVAL = 250

/**
 * By how many milliseconds the event loop is late: at the last tick, or now if the next one is overdue. Node's own
 * histogram gives a mean over many short turns, in which one turn of a second hardly shows.
 */
export class EventLoopLag {
  private due = Infinity
  private last = 0
  private timer: NodeJS.Timeout | undefined

  /** Nothing is late before. */
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
