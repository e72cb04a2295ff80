import type { Committed } from '../repository/campaign-store.ts'
import type { EventFrame } from './event-frame.ts'

/** What a sequence of events tells of. */
export interface ToldState {
  /** It stays in memory for as long as a reader is in the middle of the events. */
  readonly state: Committed
  /** About how many bytes the events are. */
  readonly size: number
}

/** Events that a reader gets one after the other, as fast as its connection takes them. */
export class EventSequence {
  /** How many events it has, or had. */
  readonly length: number

  /**
   * @param mark where a reader stands after them: a revision, or a number of the events of all campaigns
   * @param told null when they keep no state: none is encoded later than the first is written
   */
  constructor(
    private events: readonly EventFrame[],
    readonly mark: number,
    private told: ToldState | null = null,
  ) {
    this.length = events.length
  }

  /** None once it was given up to free memory: who is in the middle of it has to begin anew. */
  get frames(): readonly EventFrame[] {
    return this.events
  }

  get state(): Committed | null {
    return this.told?.state ?? null
  }

  get size(): number {
    return this.told?.size ?? 0
  }

  /** Readers may keep it for long: what it tells is in memory no more. */
  revoke(): void {
    this.events = []
    this.told = null
  }
}
