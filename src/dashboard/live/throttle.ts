/** Milliseconds between two runs: a busy campaign changes far more often than people can see. */
const INTERVAL = 50

/** A throttle: runs at once, then at most once an interval. What comes in between runs together at its end. */
export class Throttle {
  private last = -Infinity
  private timer: ReturnType<typeof setTimeout> | null = null

  constructor(private readonly act: () => void) {}

  request(): void {
    if (this.timer !== null) return
    const left = this.last + INTERVAL - performance.now()
    if (left <= 0) this.run()
    else this.timer = setTimeout(() => this.run(), left)
  }

  /** Runs at once, in place of a run that waits. */
  run(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    this.last = performance.now()
    this.act()
  }
}
