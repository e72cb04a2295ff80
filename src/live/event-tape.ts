/** Bytes of a chunk: what 200 changes a second take in half a second. */
const CHUNK = 256 * 1024

interface Chunk {
  /** Where on the tape it begins. */
  readonly begin: number
  readonly bytes: Buffer
  used: number
}

/**
 * The bytes of events, one behind the other, as they are written to readers: each is copied once, and whoever reads from some
 * place on gets a view. To join them anew for each group of readers made so much garbage that V8 collected all of it twice a second.
 */
export class EventTape {
  private chunks: Chunk[] = []

  /** Where the next byte goes. Positions count all bytes that ever were on it. */
  get end(): number {
    const last = this.chunks.at(-1)
    return last === undefined ? 0 : last.begin + last.used
  }

  append(bytes: Buffer): void {
    const { end } = this
    let last = this.chunks.at(-1)
    if (last === undefined || last.bytes.length - last.used < bytes.length) {
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
    while (this.chunks.length > 1 && (this.chunks[1]?.begin ?? Infinity) <= position) this.chunks.shift()
  }
}
