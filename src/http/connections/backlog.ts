import type { Socket } from 'node:net'
import type { ClientBacklog, UnsentBytes } from './unsent-bytes.ts'

/** What Node's handle of a socket counts: bytes that it was given, and those of them that the kernel has not taken. */
interface Handle {
  readonly bytesWritten: number
  readonly writeQueueSize: number
}

/** Null once it is closed; a request that was injected has none. */
type SocketOfServer = Socket & { readonly _handle?: Handle | null }

/** The bytes that wait for one client: of responses that its connection has not taken, and of requests that wait for their turn. */
export class Backlog implements ClientBacklog {
  /** As counted last: part of the sum. */
  private counted = 0
  private queued = 0
  /** Of a response that is about to be written. */
  private reserved = 0
  private isClosed = false
  /** How many bytes the kernel had taken, and since when no more. */
  private taken = 0
  private takenAt = performance.now()
  /** Since when something waits without a break, and how many bytes the kernel had taken then. */
  private waitsSince: { readonly at: number; readonly taken: number } | null = null

  constructor(
    private readonly socket: SocketOfServer,
    private readonly unsent: UnsentBytes,
  ) {}

  get bytes(): number {
    return this.counted
  }

  /** Of requests that wait for their turn. */
  get ofRequests(): number {
    return this.queued
  }

  /** Whether a response of that size fits. */
  hasRoomFor(bytes: number): boolean {
    return this.unsent.makeRoom(bytes)
  }

  /**
   * Counts bytes of a response that is about to be written.
   * @returns to be called once, when they are written: what waits of them is counted by then
   */
  reserve(bytes: number): () => void {
    this.reserved += bytes
    this.measure()
    return () => {
      this.reserved -= bytes
      this.count(this.waiting)
    }
  }

  /** Counts what waits: after each write of a stream, and now and then. */
  measure(): void {
    const before = this.counted
    this.count(this.waiting)
    if (this.counted < before) this.unsent.leave(before - this.counted)
  }

  /** Counts a request that waits for its turn, or with a negative number one whose turn it is. */
  queue(bytes: number): void {
    this.queued += bytes
    this.measure()
  }

  /** For how many milliseconds the client has taken nothing of what waits for it; 0 when nothing does. */
  stalledFor(now: number): number {
    const taken = takenOf(this.socket)
    if (taken !== this.taken || !(this.socket.writableLength > 0)) {
      this.taken = taken
      this.takenAt = now
    }
    return now - this.takenAt
  }

  /** Bytes a second that the client takes while something waits for it; infinite when that has not lasted for so long. */
  rate(now: number, milliseconds: number): number {
    if (this.waitsSince === null || now - this.waitsSince.at < milliseconds) return Infinity
    return ((takenOf(this.socket) - this.waitsSince.taken) / (now - this.waitsSince.at)) * 1000
  }

  /** Closes the connection at once. */
  cut(): void {
    this.close()
    this.socket.destroy()
  }

  /** Counts nothing any more. */
  close(): void {
    this.unsent.leave(this.counted)
    this.count(0)
    this.isClosed = true
    this.unsent.remove(this)
  }

  private get waiting(): number {
    const { writableLength } = this.socket
    // Undefined of a request that was injected.
    return this.queued + this.reserved + (writableLength > 0 ? writableLength : 0)
  }

  private count(bytes: number): void {
    if (this.isClosed) return
    if (!(this.socket.writableLength > 0)) this.waitsSince = null
    else this.waitsSince ??= { at: performance.now(), taken: takenOf(this.socket) }
    this.unsent.change(bytes - this.counted)
    this.counted = bytes
  }
}

/** Bytes that the kernel took: also of a large write of which a part still waits, which no public count tells. */
function takenOf({ _handle }: SocketOfServer): number {
  return _handle === null || _handle === undefined ? 0 : _handle.bytesWritten - _handle.writeQueueSize
}
