import { Broadcast } from './broadcast.ts'
import type { EventFrame } from './event-frame.ts'
import type { EventSequence } from './event-sequence.ts'
import type { HeldStates } from './held-states.ts'
import { httpChunk } from './http-chunk.ts'
import { type EventSink, type ReaderChannel, StreamReader } from './stream-reader.ts'

export interface ChannelOptions {
  /** Bytes that may wait for a reader that takes none. Above that it is dropped, never waited for. */
  readonly maxBacklog: number
  readonly onDropped: () => void
  readonly held: Pick<HeldStates, 'hold'>
  /** What was published after a mark, as the first events of a reader that knows so much. */
  readonly catchUp: (mark: number) => EventSequence
  /** The first events of a reader that has to read everything anew. */
  readonly beginAnew: () => EventSequence
}

/** Readers that get what they missed in one turn of the event loop. */
const READERS_A_TURN = 4

const KEEP_ALIVE = httpChunk([Buffer.from(': alive\n\n')])

/** The readers of one stream of events. */
export class EventChannel implements ReaderChannel {
  readonly broadcast = new Broadcast()
  private readonly all = new Set<StreamReader>()
  /** Those that take more of what they missed. */
  private readonly ready = new Set<StreamReader>()
  private turn: NodeJS.Immediate | null = null
  private newest = 0
  private bytes = 0

  constructor(private readonly options: ChannelOptions) {}

  get readers(): number {
    return this.all.size
  }

  get held(): ChannelOptions['held'] {
    return this.options.held
  }

  get maxBacklog(): number {
    return this.options.maxBacklog
  }

  get mark(): number {
    return this.newest
  }

  get published(): number {
    return this.bytes
  }

  catchUp(mark: number): EventSequence {
    return this.options.catchUp(mark)
  }

  beginAnew(): EventSequence {
    return this.options.beginAnew()
  }

  /** One event. */
  publish(frame: EventFrame, mark: number): void {
    this.newest = mark
    if (this.all.size === 0) return
    const { bytes } = frame
    this.bytes += bytes.length
    this.broadcast.publish(bytes)
  }

  /** An event that is told to live readers alone, and never caught up on: it has no mark. */
  publishToLive(frame: EventFrame): void {
    if (this.all.size > 0) this.broadcast.publish(frame.bytes)
  }

  /** The events of a change. Several are more than all readers can be given in one turn: each gets them at its own pace. */
  publishSequence(sequence: EventSequence): void {
    const [only] = sequence.frames
    if (sequence.frames.length === 1 && only !== undefined) this.publish(only, sequence.mark)
    else this.publishParts(sequence)
  }

  private publishParts(sequence: EventSequence): void {
    // Until here all live readers are together, so that they share the frames.
    this.broadcast.flush()
    this.newest = sequence.mark
    this.bytes += sequence.size
    for (const reader of this.all) {
      if (!reader.isLive) continue
      reader.begin(sequence)
      this.ready.add(reader)
    }
    this.schedule()
  }

  /**
   * Adds a reader.
   * @param first what it gets of that which was published before
   * @returns removes the reader
   */
  add(sink: EventSink, first: EventSequence): () => void {
    const reader = new StreamReader(sink, this)
    this.newest = Math.max(this.newest, first.mark)
    this.all.add(reader)
    sink.listen({
      onDrain: () => {
        if (!reader.isLive) this.advanceLater(reader)
      },
      onStandstill: () => {
        if (!this.all.has(reader)) sink.drop()
        else if (reader.isOverLimit) this.drop(reader)
      },
    })
    reader.begin(first)
    this.advance(reader)
    return () => {
      this.remove(reader)
    }
  }

  /** Shows readers, and the proxies between, that the stream is alive. */
  keepAlive(): void {
    for (const { isLive, sink } of this.all) if (isLive && sink.backlog === 0) sink.write(KEEP_ALIVE)
  }

  /** Ends the streams of all readers, each with last bytes of its own. */
  end(lastBytes: (() => Buffer) | null = null): void {
    this.broadcast.flush()
    for (const reader of [...this.all]) {
      this.remove(reader)
      if (lastBytes !== null) reader.sink.write(lastBytes())
      reader.sink.end()
    }
  }

  private advance(reader: StreamReader): void {
    if (reader.advance()) this.advanceLater(reader)
  }

  private advanceLater(reader: StreamReader): void {
    if (!this.all.has(reader)) return
    this.ready.add(reader)
    this.schedule()
  }

  private schedule(): void {
    if (this.ready.size === 0) return
    this.turn ??= setImmediate(() => {
      this.turn = null
      for (const reader of first(READERS_A_TURN, this.ready)) {
        this.ready.delete(reader)
        this.advance(reader)
      }
      this.schedule()
    })
  }

  private drop(reader: StreamReader): void {
    this.remove(reader)
    reader.sink.drop()
    this.options.onDropped()
  }

  private remove(reader: StreamReader): void {
    reader.stop()
    this.all.delete(reader)
    this.ready.delete(reader)
  }
}

function* first<T>(count: number, items: Iterable<T>): Generator<T, void> {
  let left = count
  for (const item of items) {
    if (left === 0) return
    left -= 1
    yield item
  }
}
