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
const WAIT_PER_READER_MS = 0.15
const LONGEST_WAIT_MS = 150
/** Readers that are told in one turn of the event loop: p99 of an update was 84 ms with all thousand in one, 18 with 32, 14 with 16. */
const SLICE = 16

const COMMENT = Buffer.from(': alive\n\n')

/** Whoever reads, and up to which of all published frames he was told. */
interface Reader {
  readonly sink: EventSink
  told: number
}

/** Some frames on their way to the readers. */
interface Round {
  /** As the frames of all that was published are counted: those behind `from`, up to `to`. */
  readonly from: number
  readonly to: number
  readonly frames: readonly EventFrame[]
  readonly bytes: Buffer
  readonly left: Reader[]
}

/** The readers of one stream of events, and what they are told. */
export class EventChannel {
  private readonly members = new Set<Reader>()
  private readonly ring: EventRing
  /** Published and in no round yet. */
  private waiting: EventFrame[] = []
  /** How many were published before those that wait. */
  private begun = 0
  private round: Round | null = null
  private scheduled: { cancel(): void } | null = null

  /** @param newest the id of what was told last before there was this channel */
  constructor(
    private readonly options: ChannelOptions,
    newest: string,
  ) {
    this.ring = new EventRing(options.ringBytes, newest)
  }

  get readers(): number {
    return this.members.size
  }

  /** The id of what was published last. */
  get newest(): string {
    return this.ring.newest
  }

  publish(frame: EventFrame): void {
    this.ring.push(frame)
    if (this.members.size === 0) {
      this.begun += 1
      return
    }
    this.waiting.push(frame)
    if (this.round === null) this.scheduled ??= this.schedule()
  }

  /** What was published behind the id; null when that cannot be told any more. */
  since(id: string): readonly EventFrame[] | null {
    return this.ring.since(id)
  }

  /**
   * Adds a reader, who is told everything up to now by these frames.
   * @returns takes him out again
   */
  add(sink: EventSink, first: readonly EventFrame[]): () => void {
    const reader = { sink, told: this.begun + this.waiting.length }
    this.members.add(reader)
    for (const { bytes } of first) this.write(reader, bytes)
    return () => {
      this.members.delete(reader)
    }
  }

  /** Shows that it is alive, to readers and to what stands between. */
  comment(): void {
    for (const reader of this.members) this.write(reader, COMMENT)
  }

  /** Ends all readers, each with last bytes of its own. */
  end(lastBytes: (() => Buffer) | null = null): void {
    this.scheduled?.cancel()
    this.scheduled = null
    this.finishRound(Infinity)
    this.beginRound()
    this.finishRound(Infinity)
    for (const { sink } of this.members) {
      if (lastBytes !== null) sink.write(lastBytes())
      sink.end()
    }
    this.members.clear()
  }

  private schedule(): { cancel(): void } {
    const wait = Math.min(LONGEST_WAIT_MS, this.members.size * WAIT_PER_READER_MS)
    return later(wait, () => {
      this.beginRound()
      this.tellSlice()
    })
  }

  private beginRound(): void {
    const frames = this.waiting
    const from = this.begun
    this.waiting = []
    this.begun += frames.length
    if (frames.length === 0) return
    const bytes = bytesOf(frames)
    this.round = { from, to: this.begun, frames, bytes, left: [...this.members] }
  }

  private tellSlice(): void {
    this.finishRound(SLICE)
    if (this.round !== null) {
      this.scheduled = later(0, () => {
        this.tellSlice()
      })
    } else {
      this.scheduled = this.waiting.length > 0 ? this.schedule() : null
    }
  }

  /** @param most how many readers to tell */
  private finishRound(most: number): void {
    const { round } = this
    if (round === null) return
    for (let count = 0; count < most && round.left.length > 0; count += 1) {
      const reader = round.left.pop()
      if (reader !== undefined && this.members.has(reader)) this.tell(reader, round)
    }
    if (round.left.length === 0) this.round = null
  }

  /** Who came while some of the frames were waiting was told those with his first ones. */
  private tell(reader: Reader, { from, to, frames, bytes }: Round): void {
    if (reader.told >= to) return
    this.write(reader, reader.told <= from ? bytes : bytesOf(frames.slice(reader.told - from)))
    reader.told = to
  }

  private write(reader: Reader, bytes: Buffer): void {
    const { sink } = reader
    sink.write(bytes)
    if (sink.backlog <= this.options.maxBacklog) return
    this.members.delete(reader)
    sink.drop()
    this.options.onDropped()
  }
}

function bytesOf(frames: readonly EventFrame[]): Buffer {
  const [only] = frames
  return frames.length === 1 && only !== undefined ? only.bytes : Buffer.concat(frames.map(({ bytes }) => bytes))
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
