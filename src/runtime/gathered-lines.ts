import type { DestinationStream } from 'pino'

export interface GatheringLimits {
  /** Characters that are handed on at once, however short they have waited. */
  readonly size: number
  /** How long a line waits at most. */
  readonly milliseconds: number
}

/**
 * Hands lines on together: at each write the output measures all that it holds, and has another thread write it. The README
 * beside it says why this is not left to the buffer of pino's destination.
 */
export class GatheredLines {
  private lines = ''
  private timer: NodeJS.Timeout | null = null

  constructor(
    private readonly output: DestinationStream,
    private readonly limits: GatheringLimits,
  ) {}

  write(line: string): void {
    this.lines += line
    if (this.lines.length >= this.limits.size) this.handOn()
    else {
      this.timer ??= setTimeout(() => {
        this.handOn()
      }, this.limits.milliseconds)
    }
  }

  /** Hands on what waits, at once. */
  handOn(): void {
    const { lines } = this
    this.lines = ''
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    if (lines !== '') this.output.write(lines)
  }
}
