import { httpChunk } from './http-chunk.ts'

/**
 * One Server-Sent Event, as an HTTP chunk. Encoded when the first reader needs it, once for all that get it while one of them has
 * it, and not kept longer.
 */
export class EventFrame {
  private encoded: WeakRef<Buffer> | null = null

  /**
   * @param id what a client sends as Last-Event-ID to resume after it; null: it cannot
   * @param data JSON, in one line
   */
  constructor(
    private readonly event: string,
    private readonly id: string | null,
    private readonly data: () => string | readonly Uint8Array[],
  ) {}

  get bytes(): Buffer {
    const known = this.encoded?.deref()
    if (known !== undefined) return known
    const bytes = this.encode()
    this.encoded = new WeakRef(bytes)
    return bytes
  }

  private encode(): Buffer {
    const id = this.id === null ? '' : `id: ${this.id}\n`
    const start = `event: ${this.event}\n${id}data: `
    const data = this.data()
    return typeof data === 'string'
      ? httpChunk([Buffer.from(`${start}${data}\n\n`)])
      : httpChunk([Buffer.from(start), ...data, Buffer.from('\n\n')])
  }
}
