import type { EventFrame } from './event-frame.ts'
import { EventRing } from './event-ring.ts'

/** The connection of one reader. */
export interface EventSink {
  write(bytes: Buffer): void
  /** Bytes that were written and did not leave yet. */
  readonly backlog: number
  /** Ends it in order. */
  end(): void
  /** Cuts it off. */
  drop(): void
}

export interface ChannelOptions {
  /** Bytes of frames that are kept for those who come back. */
  readonly ringBytes: number
  /** Bytes that may wait for a reader; one that is slower is dropped, never waited for. */
  readonly maxBacklog: number
  readonly onDropped: () => void
}

/**
 * Frames of one order may be told together, so that many readers cost a write each and not one for every frame: a thousand
 * of them under 200 commits a second would be 200,000 writes. A few are told at once; the wait grows with their number.
 */
const WAIT_PER_READER_MS = 0.1
const LONGEST_WAIT_MS = 100

const COMMENT = Buffer.from(': alive\n\n')

/** The readers of one stream of events, and what they are told. */
export class EventChannel {
  private readonly sinks = new Set<EventSink>()
  private readonly ring: EventRing
  private waiting: EventFrame[] = []
  private timer: NodeJS.Timeout | NodeJS.Immediate | null = null

  /** @param newest the id of what was told last before there was this channel */
  constructor(
    private readonly options: ChannelOptions,
    newest: string,
  ) {
    this.ring = new EventRing(options.ringBytes, newest)
  }

  get readers(): number {
    return this.sinks.size
  }

  /** The id of what was published last. */
  get newest(): string {
    return this.ring.newest
  }

  publish(frame: EventFrame): void {
    this.ring.push(frame)
    if (this.sinks.size === 0) return
    this.waiting.push(frame)
    this.timer ??= this.schedule()
  }

  /** What was published behind the id; null when that cannot be told any more. */
  since(id: string): readonly EventFrame[] | null {
    return this.ring.since(id)
  }

  /** Adds a reader, who has been told everything up to now by these frames. */
  add(sink: EventSink, first: readonly EventFrame[]): void {
    this.flush()
    this.sinks.add(sink)
    for (const { bytes } of first) this.write(sink, bytes)
  }

  remove(sink: EventSink): void {
    this.sinks.delete(sink)
  }

  /** Shows that it is alive, to readers and to what stands between. */
  comment(): void {
    for (const sink of this.sinks) this.write(sink, COMMENT)
  }

  /** Ends all readers, each with last bytes of its own. */
  end(lastBytes: (() => Buffer) | null = null): void {
    this.flush()
    for (const sink of this.sinks) {
      if (lastBytes !== null) sink.write(lastBytes())
      sink.end()
    }
    this.sinks.clear()
  }

  private schedule(): NodeJS.Timeout | NodeJS.Immediate {
    const wait = Math.min(LONGEST_WAIT_MS, this.sinks.size * WAIT_PER_READER_MS)
    const flush = () => {
      this.flush()
    }
    return wait < 1 ? setImmediate(flush) : setTimeout(flush, wait)
  }

  private flush(): void {
    if (this.timer !== null) {
      clearTimeout(this.timer as NodeJS.Timeout)
      clearImmediate(this.timer as NodeJS.Immediate)
      this.timer = null
    }
    if (this.waiting.length === 0) return
    const frames = this.waiting
    this.waiting = []
    const [only] = frames
    const bytes =
      frames.length === 1 && only !== undefined ? only.bytes : Buffer.concat(frames.map((frame) => frame.bytes))
    for (const sink of this.sinks) this.write(sink, bytes)
  }

  private write(sink: EventSink, bytes: Buffer): void {
    sink.write(bytes)
    if (sink.backlog <= this.options.maxBacklog) return
    this.sinks.delete(sink)
    sink.drop()
    this.options.onDropped()
  }
}
