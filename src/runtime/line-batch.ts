import type { DestinationStream } from 'pino'

export interface LineBatchLimits {
  /** Characters that are written at once. */
  readonly size: number
  /** Longest wait of a line. */
  readonly milliseconds: number
}

/**
 * Writes lines together: each write costs the output a pass over its buffer, and a call of another thread. The README beside it
 * says why this is not left to the buffer of pino's destination.
 */
export class LineBatch {
  private lines = ''
  private timer: NodeJS.Timeout | null = null

  constructor(
    private readonly output: DestinationStream,
    private readonly limits: LineBatchLimits,
  ) {}

  write(line: string): void {
    this.lines += line
    if (this.lines.length >= this.limits.size) this.flush()
    else {
      this.timer ??= setTimeout(() => this.flush(), this.limits.milliseconds)
    }
  }

  /** Writes what waits, at once. */
  flush(): void {
    const { lines } = this
    this.lines = ''
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    if (lines !== '') this.output.write(lines)
  }
}
