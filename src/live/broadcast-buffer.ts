const MAX_CHUNK_BYTES = 256 * 1024

interface Chunk {
  /** The position of its first byte. */
  readonly begin: number
  readonly bytes: Buffer
  used: number
}

/**
 * The bytes of published events, in order. Every reader gets views of the same memory: joining frames for each group of readers
 * costs too much garbage. It is empty once every reader has everything, since there may be thousands of streams.
 */
export class BroadcastBuffer {
  private chunks: Chunk[] = []
  /** The end of the buffer while it has no chunk. */
  private base = 0

  /** The position of the next byte. Positions count every byte ever appended. */
  get end(): number {
    const last = this.chunks.at(-1)
    return last === undefined ? this.base : last.begin + last.used
  }

  /** Copies the bytes unless the buffer is empty: with few readers each event is delivered before the next is published. */
  append(bytes: Buffer): void {
    let last = this.chunks.at(-1)
    if (last === undefined) {
      this.chunks.push({ begin: this.base, bytes, used: bytes.length })
      return
    }
    if (last.bytes.length - last.used < bytes.length) {
      // Twice the one before: a reader that stands still with a view of it keeps the whole chunk in memory.
      const size = Math.max(bytes.length, Math.min(MAX_CHUNK_BYTES, 2 * last.bytes.length))
      last = { begin: this.end, bytes: Buffer.allocUnsafeSlow(size), used: 0 }
      this.chunks.push(last)
    }
    bytes.copy(last.bytes, last.used)
    last.used += bytes.length
  }

  /** Everything from a position on, in as few pieces as possible. */
  from(position: number): Buffer[] {
    return this.chunks
      .filter(({ begin, used }) => begin + used > position)
      .map(({ begin, bytes, used }) => bytes.subarray(Math.max(0, position - begin), used))
  }

  /** Frees the chunks that end before a position. */
  discardBefore(position: number): void {
    const { end } = this
    if (position >= end) {
      this.base = end
      this.chunks = []
    }
    while (this.chunks.length > 1 && (this.chunks[1]?.begin ?? Infinity) <= position) this.chunks.shift()
  }
}
