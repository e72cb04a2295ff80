import { BroadcastBuffer } from './broadcast-buffer.ts'
import type { EventFrame } from './event-frame.ts'

/** The connection of one reader. */
export interface EventSink {
  write(bytes: Buffer): void
  /** Bytes that were written and are not sent yet. */
  readonly backlog: number
  /** Closes the connection after everything is sent. */
  end(): void
  /** Closes it at once. */
  drop(): void
}

export interface ChannelOptions {
  /** Bytes that may wait for a reader. A slower one is dropped, never waited for. */
  readonly maxBacklog: number
  readonly onDropped: () => void
}

/**
 * Frames are delivered in batches, so that many readers do not cost a write for each frame. Few readers get a frame at once; the
 * delay grows with their number. Within it each group of readers has its own moment: writing to all of them in a row would
 * delay the updates that arrive just then.
 */
const DELAY_PER_READER_MS = 0.15
const MAX_DELAY_MS = 180
/** Readers that are written to in one turn of the event loop. */
const GROUP_SIZE = 8
/** Groups that are written to in one turn while some are late. */
const MAX_LATE_GROUPS = 4

const KEEP_ALIVE = Buffer.from(': alive\n\n')

interface Reader {
  readonly sink: EventSink
  /** The position in the buffer up to which everything was delivered. */
  delivered: number
}

interface ReaderGroup {
  readonly members: Set<Reader>
  /** As of a reader; one that joined later may be ahead. */
  delivered: number
}

/** The readers of one stream of events. */
export class EventChannel {
  private readonly groups: ReaderGroup[] = []
  /** What was published and not yet delivered to every group. */
  private readonly buffer = new BroadcastBuffer()
  private count = 0
  private nextGroup = 0
  /** When that group is due: milliseconds of the monotonic clock. */
  private dueAt = 0
  private timer: Disposable | null = null

  constructor(private readonly options: ChannelOptions) {}

  get readers(): number {
    return this.count
  }

  publish(frame: EventFrame): void {
    if (this.groups.length === 0) return
    this.buffer.append(frame.bytes)
    if (this.timer !== null) return
    this.dueAt = performance.now() + this.step
    this.schedule()
  }

  /**
   * Adds a reader. Its first frames hold everything that was published before.
   * @returns removes the reader
   */
  add(sink: EventSink, first: readonly EventFrame[]): () => void {
    const reader = { sink, delivered: this.buffer.end }
    const group = this.groupWithRoom()
    group.members.add(reader)
    this.count += 1
    for (const { bytes } of first) this.write(group, reader, bytes)
    return () => {
      this.remove(group, reader)
    }
  }

  /** Shows readers, and the proxies between, that the stream is alive. */
  keepAlive(): void {
    for (const group of [...this.groups]) for (const reader of group.members) this.write(group, reader, KEEP_ALIVE)
  }

  /** Ends the streams of all readers, each with last bytes of its own. */
  end(lastBytes: (() => Buffer) | null = null): void {
    this.timer?.[Symbol.dispose]()
    this.timer = null
    for (const group of [...this.groups]) {
      this.deliver(group)
      for (const { sink } of group.members) {
        if (lastBytes !== null) sink.write(lastBytes())
        sink.end()
      }
      group.members.clear()
    }
    this.groups.length = this.count = this.nextGroup = 0
    this.buffer.discardBefore(this.buffer.end)
  }

  /** Milliseconds between the group before and the next one. */
  private get step(): number {
    const size = this.groups[this.nextGroup]?.members.size ?? 0
    return Math.min(MAX_DELAY_MS / this.groups.length, size * DELAY_PER_READER_MS)
  }

  private schedule(): void {
    const work = () => {
      this.timer = null
      this.deliverToDueGroups()
      if (this.groups.some(({ delivered }) => delivered < this.buffer.end)) this.schedule()
    }
    const milliseconds = this.dueAt - performance.now()
    this.timer = milliseconds < 1 ? setImmediate(work) : setTimeout(work, milliseconds)
  }

  private deliverToDueGroups(): void {
    const now = performance.now()
    for (let count = 0; count < MAX_LATE_GROUPS && (count === 0 || this.dueAt <= now); count += 1) {
      const group = this.groups[this.nextGroup]
      if (group === undefined) break
      // Before the delivery: that may drop slow readers, and with the last of them the group.
      this.nextGroup = (this.nextGroup + 1) % this.groups.length
      this.deliver(group)
      this.dueAt = Math.max(this.dueAt, now - MAX_DELAY_MS) + this.step
    }
    this.buffer.discardBefore(Math.min(...this.groups.map(({ delivered }) => delivered)))
  }

  private deliver(group: ReaderGroup): void {
    const { end } = this.buffer
    if (group.delivered === end) return
    const pieces = this.buffer.from(group.delivered)
    for (const reader of group.members) {
      // The first frames of a reader that joined meanwhile held a part of it.
      const missing = reader.delivered <= group.delivered ? pieces : this.buffer.from(reader.delivered)
      for (const bytes of missing) this.write(group, reader, bytes)
      reader.delivered = end
    }
    group.delivered = end
  }

  private groupWithRoom(): ReaderGroup {
    const found = this.groups.find(({ members }) => members.size < GROUP_SIZE)
    if (found !== undefined) return found
    const group = { members: new Set<Reader>(), delivered: this.buffer.end }
    this.groups.push(group)
    return group
  }

  private remove(group: ReaderGroup, reader: Reader): void {
    if (!group.members.delete(reader)) return
    this.count -= 1
    if (group.members.size > 0) return
    const at = this.groups.indexOf(group)
    this.groups.splice(at, 1)
    if (at < this.nextGroup) this.nextGroup -= 1
    if (this.nextGroup >= this.groups.length) this.nextGroup = 0
  }

  /** Drops the reader when too much waits for it; a reader that was dropped between two pieces gets no more. */
  private write(group: ReaderGroup, reader: Reader, bytes: Buffer): void {
    if (!group.members.has(reader)) return
    const { sink } = reader
    sink.write(bytes)
    if (sink.backlog <= this.options.maxBacklog) return
    this.remove(group, reader)
    sink.drop()
    this.options.onDropped()
  }
}
