/** Milliseconds between two showings: hundreds of commits a second are more than anybody can see. */
const APART = 50

/** Has something done at once, but never again sooner than is worth it: what comes meanwhile is done together, later. */
export class Paced {
  private last = -Infinity
  private timer: ReturnType<typeof setTimeout> | null = null

  constructor(private readonly act: () => void) {}

  ask(): void {
    if (this.timer !== null) return
    const left = this.last + APART - performance.now()
    if (left <= 0) this.now()
    else this.timer = setTimeout(() => this.now(), left)
  }

  /** At once, whatever was asked for before. */
  now(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    this.last = performance.now()
    this.act()
  }
}
