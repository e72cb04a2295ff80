import type { EventFrame } from './event-frame.ts'

/** Campaigns of which the newest event is kept: the set of those that are written to between a reader's loss and return. */
const MOST = 10_000

/**
 * The newest event of each campaign that changed, for readers of all campaigns who come back: each campaign is told once, as
 * it is now. Bounded by the number of campaigns, not by how often they change.
 */
export class RecentChanges {
  /** By campaign; the one that changed last stands last. */
  private readonly newest = new Map<string, { readonly sequence: number; readonly frame: EventFrame }>()

  /** @param complete the sequence number after which every change is known */
  constructor(private complete: number) {}

  push(campaignId: string, sequence: number, frame: EventFrame): void {
    this.newest.delete(campaignId)
    this.newest.set(campaignId, { sequence, frame })
    if (this.newest.size <= MOST) return
    const [oldest] = this.newest
    if (oldest === undefined) return
    this.newest.delete(oldest[0])
    this.complete = oldest[1].sequence
  }

  /** What changed after a sequence number; null when that is not known any more, or not yet. */
  since(sequence: number, last: number): readonly EventFrame[] | null {
    if (sequence < this.complete || sequence > last) return null
    return [...this.newest.values()].filter((change) => change.sequence > sequence).map(({ frame }) => frame)
  }
}
