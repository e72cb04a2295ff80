import type { EventFrame } from './event-frame.ts'

/**
 * Events that a reader gets one after the other, as fast as its connection takes them. What they tell is one state of a campaign,
 * which stays in memory for as long as a reader is in the middle of them.
 */
export class EventSequence {
  /** How many events it has, or had. */
  readonly length: number

  /**
   * @param mark where a reader stands after them: a revision, or a number of the events of all campaigns
   * @param size about how many bytes they are
   */
  constructor(
    private events: readonly EventFrame[],
    readonly mark: number,
    readonly size = 0,
  ) {
    this.length = events.length
  }

  /** None once it was given up to free memory: who is in the middle of it has to begin anew. */
  get frames(): readonly EventFrame[] {
    return this.events
  }

  /** Readers may keep it for long: what it tells is in memory no more. */
  revoke(): void {
    this.events = []
  }
}

/** The sequences that readers are in the middle of. Together bounded in bytes: above that the oldest is given up. */
export class HeldSequences {
  private readonly readers = new Map<EventSequence, number>()
  private bytes = 0

  constructor(private readonly maxBytes: number) {}

  hold(sequence: EventSequence): void {
    const readers = this.readers.get(sequence) ?? 0
    this.readers.set(sequence, readers + 1)
    if (readers === 0) this.bytes += sequence.size
    for (const oldest of this.readers.keys()) {
      if (this.bytes <= this.maxBytes || oldest === sequence) break
      this.forget(oldest)
      oldest.revoke()
    }
  }

  release(sequence: EventSequence): void {
    const readers = this.readers.get(sequence)
    if (readers === undefined) return
    if (readers > 1) this.readers.set(sequence, readers - 1)
    else this.forget(sequence)
  }

  private forget(sequence: EventSequence): void {
    this.readers.delete(sequence)
    this.bytes -= sequence.size
  }
}
