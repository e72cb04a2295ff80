import type { Broadcast, Member } from './broadcast.ts'
import type { EventFrame } from './event-frame.ts'
import { EventSequence } from './event-sequence.ts'
import type { HeldStates } from './held-states.ts'

/** The connection of one reader. */
export interface EventSink {
  /** @returns false when it takes no more for now; `onDrain` is called once it does */
  write(bytes: Buffer): boolean
  /** Bytes that were written and are not sent yet. */
  readonly backlog: number
  listen(listener: SinkListener): void
  /** Closes the connection after everything is sent. */
  end(): void
  /** Closes it at once. */
  drop(): void
}

export interface SinkListener {
  /** All that was written is sent. */
  onDrain(): void
  /** Bytes wait, and for some seconds the connection has taken none. */
  onStandstill(): void
}

/** What a reader needs of its channel. */
export interface ReaderChannel {
  readonly broadcast: Broadcast
  readonly held: Pick<HeldStates, 'hold'>
  /** Where a reader stands that has everything. */
  readonly mark: number
  /** Bytes ever published. */
  readonly published: number
  readonly maxBacklog: number
  /** What was published after a mark. */
  catchUp(mark: number): EventSequence
  /** In place of a sequence that was revoked. */
  beginAnew(): EventSequence
}

/** Bytes that are written to a reader in one turn of the event loop. */
const TURN_BYTES = 64 * 1024

/** What a reader has still to get before it is live. */
interface Missed {
  readonly sequence: EventSequence
  /** It is not needed any more. */
  readonly release: () => void
  next: number
  /** What was published when it began. */
  readonly since: number
}

/**
 * One reader of a channel. While it keeps up it is live: it gets all that is published with the others. With more than the limit
 * in its connection it is written to no more; once that is sent it gets what it missed meanwhile, at its own pace.
 */
export class StreamReader implements Member {
  delivered = 0
  /** Leaves the broadcast; null while it is not live. */
  private leave: (() => void) | null = null
  private missed: Missed | null = null

  constructor(
    readonly sink: EventSink,
    private readonly channel: ReaderChannel,
  ) {}

  get isLive(): boolean {
    return this.leave !== null
  }

  /** What was published last, to a live reader. */
  deliver(pieces: readonly Buffer[]): void {
    for (const bytes of pieces) this.sink.write(bytes)
    if (this.sink.backlog > this.channel.maxBacklog) this.begin(new EventSequence([], this.channel.mark))
  }

  /** Begins to get a sequence; after it, what was published meanwhile; then it is live. */
  begin(sequence: EventSequence): void {
    this.stop()
    const giveUp = () => {
      sequence.revoke()
    }
    const release = sequence.state === null ? nothing : this.channel.held.hold(sequence.state, giveUp)
    this.missed = { sequence, release, next: 0, since: this.channel.published }
  }

  /**
   * Writes what it missed while its connection takes it.
   * @returns whether it takes more in a later turn of the event loop
   */
  advance(): boolean {
    for (let written = 0; this.missed !== null && written < TURN_BYTES;) {
      const frame = this.nextFrame(this.missed)
      if (frame === null) continue
      written += frame.bytes.length
      const takesMore = this.sink.write(frame.bytes)
      this.letGo()
      if (!takesMore) return false
    }
    return this.missed !== null
  }

  /** Of a sequence that is written nothing is kept: a connection may take long for the last bytes. */
  private letGo(): void {
    const { missed } = this
    if (missed === null || missed.next < missed.sequence.length) return
    missed.release()
    this.missed = { ...missed, sequence: new EventSequence([], missed.sequence.mark), release: nothing, next: 0 }
  }

  /** Whether more than the limit waits for it, in its connection and here. */
  get isOverLimit(): boolean {
    const { maxBacklog, published } = this.channel
    let waiting = this.sink.backlog
    if (this.missed === null) return waiting > maxBacklog
    const { sequence, next, since } = this.missed
    waiting += published - since
    for (let at = next; at < sequence.frames.length && waiting <= maxBacklog; at += 1) {
      waiting += sequence.frames[at]?.bytes.length ?? 0
    }
    return waiting > maxBacklog
  }

  /** It gets nothing more. */
  stop(): void {
    this.leave?.()
    this.leave = null
    this.missed?.release()
    this.missed = null
  }

  /** Null when another sequence begins, or it is live. */
  private nextFrame(missed: Missed): EventFrame | null {
    const { sequence, next } = missed
    const frame = sequence.frames[next]
    if (next === sequence.length) this.finish(sequence)
    else if (frame === undefined) this.begin(this.channel.beginAnew())
    else {
      missed.next += 1
      return frame
    }
    return null
  }

  private finish({ mark }: EventSequence): void {
    if (mark === this.channel.mark) {
      this.stop()
      this.leave = this.channel.broadcast.add(this)
    } else this.begin(this.channel.catchUp(mark))
  }
}

const nothing = () => undefined
