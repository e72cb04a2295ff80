/** One Server-Sent Event. Encoded when the first reader needs it, once for all readers. */
export class EventFrame {
  private encoded: Buffer | null = null

  /**
   * @param id what a client sends as Last-Event-ID to resume after it; null: it cannot
   * @param data JSON, in one line
   */
  constructor(
    private readonly event: string,
    private readonly id: string | null,
    private readonly data: () => string,
  ) {}

  get bytes(): Buffer {
    const id = this.id === null ? '' : `id: ${this.id}\n`
    return (this.encoded ??= Buffer.from(`event: ${this.event}\n${id}data: ${this.data()}\n\n`))
  }
}
