import type { EventFrame } from './event-frame.ts'
import { BroadcastBuffer } from './broadcast-buffer.ts'
import { ReaderGroup, type EventSink, type Reader } from './reader-group.ts'

export interface ChannelOptions {
  /** Bytes that may wait for a reader; one that is slower is dropped, never waited for. */
  readonly maxBacklog: number
  readonly onDropped: () => void
}

/**
 * Frames of one order may be told together, so that many readers cost a write each and not one for every frame: a thousand
 * of them under 200 commits a second would be 200,000 writes. A few are told at once; the wait grows with their number.
 *
 * Within the wait each group has its own moment. All one after the other at its end, a thousand held up the updates of just
 * then: their p99 was 84 ms with all in one turn of the event loop, 16 with 16 a turn, and 1 change of 1,000 came late; spread
 * out it was 10.5, and none.
 */
const WAIT_PER_READER_MS = 0.15
const LONGEST_WAIT_MS = 180
/** Readers of a group: as many as are told in one turn. With 16, or with 4, p99 was 2 to 3 ms more. */
const GROUP = 8
/** Groups that are told in one turn when turns take so long that some are late. */
const MOST_LATE = 4

const COMMENT = Buffer.from(': alive\n\n')

/** The readers of one stream of events, and what they are told. */
export class EventChannel {
  private readonly groups: ReaderGroup[] = []
  /** What was published while somebody read, and some group was not told yet. */
  private readonly tape = new BroadcastBuffer()
  private count = 0
  /** Which group is next, and when: milliseconds of the monotonic clock. */
  private turn = 0
  private dueAt = 0
  private scheduled: { cancel(): void } | null = null

  constructor(private readonly options: ChannelOptions) {}

  get readers(): number {
    return this.count
  }

  publish(frame: EventFrame): void {
    if (this.groups.length === 0) return
    this.tape.append(frame.bytes)
    if (this.scheduled !== null) return
    this.dueAt = performance.now() + this.step
    this.schedule()
  }

  /**
   * Adds a reader, who is told everything up to now by these frames.
   * @returns takes him out again
   */
  add(sink: EventSink, first: readonly EventFrame[]): () => void {
    const reader = { sink, told: this.tape.end }
    const group = this.groupWithRoom()
    group.members.add(reader)
    this.count += 1
    for (const { bytes } of first) this.write(group, reader, bytes)
    return () => {
      this.remove(group, reader)
    }
  }

  /** Shows that it is alive, to readers and to what stands between. */
  comment(): void {
    for (const group of [...this.groups]) for (const reader of group.members) this.write(group, reader, COMMENT)
  }

  /** Ends all readers, each with last bytes of its own. */
  end(lastBytes: (() => Buffer) | null = null): void {
    this.scheduled?.cancel()
    this.scheduled = null
    for (const group of [...this.groups]) {
      this.tell(group)
      for (const { sink } of group.members) {
        if (lastBytes !== null) sink.write(lastBytes())
        sink.end()
      }
      group.members.clear()
    }
    this.groups.length = this.count = this.turn = 0
    this.tape.forget(this.tape.end)
  }

  /** How long after the group before it the next one is told. */
  private get step(): number {
    const size = this.groups[this.turn]?.members.size ?? 0
    return Math.min(LONGEST_WAIT_MS / this.groups.length, size * WAIT_PER_READER_MS)
  }

  private schedule(): void {
    this.scheduled = later(this.dueAt - performance.now(), () => {
      this.scheduled = null
      this.tellWhoIsDue()
      if (this.isAnyBehind()) this.schedule()
    })
  }

  private tellWhoIsDue(): void {
    const now = performance.now()
    for (let told = 0; told < MOST_LATE && (told === 0 || this.dueAt <= now); told += 1) {
      const group = this.groups[this.turn]
      if (group === undefined) break
      // Before it: whoever is dropped as too slow may take the group along.
      this.turn = (this.turn + 1) % this.groups.length
      this.tell(group)
      this.dueAt = Math.max(this.dueAt, now - LONGEST_WAIT_MS) + this.step
    }
    this.tape.forget(Math.min(...this.groups.map(({ told }) => told)))
  }

  private tell(group: ReaderGroup): void {
    group.tell(this.tape, (reader, bytes) => {
      this.write(group, reader, bytes)
    })
  }

  private isAnyBehind(): boolean {
    return this.groups.some(({ told }) => told < this.tape.end)
  }

  private groupWithRoom(): ReaderGroup {
    const found = this.groups.find(({ members }) => members.size < GROUP)
    if (found !== undefined) return found
    const group = new ReaderGroup(this.tape.end)
    this.groups.push(group)
    return group
  }

  private remove(group: ReaderGroup, reader: Reader): void {
    if (!group.members.delete(reader)) return
    this.count -= 1
    if (group.members.size > 0) return
    const at = this.groups.indexOf(group)
    this.groups.splice(at, 1)
    if (at < this.turn) this.turn -= 1
    if (this.turn >= this.groups.length) this.turn = 0
  }

  /** Nothing to whom it cut off: what is told may come in several pieces. */
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

/** In the next turn of the event loop, or after so many milliseconds. */
function later(milliseconds: number, work: () => void): { cancel(): void } {
  if (milliseconds < 1) {
    const immediate = setImmediate(work)
    return {
      cancel: () => {
        clearImmediate(immediate)
      },
    }
  }
  const timer = setTimeout(work, milliseconds)
  return {
    cancel: () => {
      clearTimeout(timer)
    },
  }
}
