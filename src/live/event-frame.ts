/** One Server-Sent Event. Encoded when the first reader is to have it, and then once for all. */
export class EventFrame {
  private encoded: Buffer | null = null

  constructor(
    private readonly event: string,
    /** What a client names to go on behind it; null: it cannot. */
    readonly id: string | null,
    /** JSON, in one line. */
    private readonly data: () => string,
  ) {}

  get bytes(): Buffer {
    this.encoded ??= Buffer.from(
      `event: ${this.event}\n${this.id === null ? '' : `id: ${this.id}\n`}data: ${this.data()}\n\n`,
    )
    return this.encoded
  }
}
