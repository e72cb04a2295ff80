import type { GrowingBody, IncomingBytes } from './incoming-bytes.ts'

/** Of a body that size it is not asked whether it fits: workers must be able to report while others send much. */
const SMALL = 16 * 1024

/** Bytes of memory to begin with, once a body does not come in one piece. */
const FIRST = 256 * 1024

/** Why a body is not read on: it is longer than its call takes, or those of all calls leave no room. */
type Excess = 'too-large' | 'no-room'

export interface IncomingBodyOptions {
  /** In bytes, of this body. */
  readonly limit: number
  readonly together: IncomingBytes
  /** Bytes of memory that its reading takes beside it. */
  readonly overhead?: number
  /** Closes its connection. */
  readonly cut: () => void
}

/**
 * A body that is on its way, or read and not yet parsed. It grows in memory of its own, which goes back to the system at once when
 * the body is needed no more: in pieces on the heap of the process, what a flood left behind stayed with it.
 */
export class IncomingBody implements GrowingBody {
  private piece: Buffer = Buffer.alloc(0)
  private memory: ArrayBuffer | null = null
  private size = 0

  private readonly limit: number
  private readonly together: IncomingBytes
  /** Of the reading, until its end. */
  private overhead: number
  readonly cut: () => void

  constructor({ limit, together, overhead = 0, cut }: IncomingBodyOptions) {
    this.limit = limit
    this.together = together
    this.overhead = overhead
    this.cut = cut
    together.add(this)
    together.change(overhead)
  }

  get length(): number {
    return this.size
  }

  /** @returns why the piece was not added, or null */
  add(piece: Buffer): Excess | null {
    if (this.size + piece.length > this.limit) return 'too-large'
    const isFirst = this.size === 0
    this.size += piece.length
    this.together.change(piece.length)
    if (this.size > SMALL && !this.together.hasRoom()) return 'no-room'
    if (isFirst) this.piece = piece
    else if (!this.append(piece)) return 'no-room'
    return null
  }

  /** All of it. There is none of it after the end. */
  get bytes(): Buffer {
    return this.memory === null ? this.piece : Buffer.from(this.memory, 0, this.size)
  }

  /** All of it has come. */
  finish(): void {
    this.together.remove(this)
    this.together.change(-this.overhead)
    this.overhead = 0
  }

  end(): void {
    this.finish()
    this.together.change(-this.size)
    this.size = 0
    this.piece = Buffer.alloc(0)
    this.memory?.resize(0)
    this.memory = null
  }

  /** @returns false when the system gives no memory */
  private append(piece: Buffer): boolean {
    const at = this.size - piece.length
    try {
      new Uint8Array(this.memoryFor(this.size)).set(piece, at)
      return true
    } catch (error) {
      if (error instanceof RangeError) return false
      throw error
    }
  }

  private memoryFor(length: number): ArrayBuffer {
    if (this.memory === null) {
      this.memory = new ArrayBuffer(this.sizeFor(length), { maxByteLength: this.limit })
      new Uint8Array(this.memory).set(this.piece)
      this.piece = Buffer.alloc(0)
    } else if (length > this.memory.byteLength) this.memory.resize(this.sizeFor(length))
    return this.memory
  }

  private sizeFor(length: number): number {
    return Math.min(this.limit, Math.max(FIRST, 2 * length))
  }
}
