/** Bytes of a chunk: what 200 changes a second take in a second. */
const CHUNK = 256 * 1024

interface Chunk {
  /** Where on the tape it begins. */
  readonly begin: number
  readonly bytes: Buffer
  used: number
}

/**
 * The bytes of events, one behind the other, as they are written to readers: whoever reads from some place on gets a view. To join
 * them anew for each group of readers made so much garbage that V8 collected all of it twice a second. It holds nothing once
 * everybody was told: there may be thousands of streams.
 */
export class BroadcastBuffer {
  private chunks: Chunk[] = []
  /** Where it goes on when there is no chunk. */
  private base = 0

  /** Where the next byte goes. Positions count all bytes that ever were on it. */
  get end(): number {
    const last = this.chunks.at(-1)
    return last === undefined ? this.base : last.begin + last.used
  }

  /** Copies them, but for the first: where there are few readers, each event is told before the next one comes. */
  append(bytes: Buffer): void {
    const { end } = this
    let last = this.chunks.at(-1)
    if (last === undefined) {
      this.chunks.push({ begin: end, bytes, used: bytes.length })
      return
    }
    if (last.bytes.length - last.used < bytes.length) {
      last = { begin: end, bytes: Buffer.allocUnsafeSlow(Math.max(CHUNK, bytes.length)), used: 0 }
      this.chunks.push(last)
    }
    bytes.copy(last.bytes, last.used)
    last.used += bytes.length
  }

  /** All from a position on, in as few pieces as it lies in. */
  from(position: number): Buffer[] {
    return this.chunks
      .filter(({ begin, used }) => begin + used > position)
      .map(({ begin, bytes, used }) => bytes.subarray(Math.max(0, position - begin), used))
  }

  /** Gives up what lies before a position, as far as nothing behind it shares the memory. */
  forget(position: number): void {
    const { end } = this
    if (position >= end) {
      this.base = end
      this.chunks = []
    }
    while (this.chunks.length > 1 && (this.chunks[1]?.begin ?? Infinity) <= position) this.chunks.shift()
  }
}
