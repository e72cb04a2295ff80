import type { EventFrame } from './event-frame.ts'

/** More than are written to between the loss of a connection and the reader's return. */
const MAX_CAMPAIGNS = 10_000

/**
 * The newest event of each campaign that changed, for readers of all campaigns that resume: they get each campaign once, as it
 * is now. Bounded by the number of campaigns, not by how often they change.
 */
export class RecentChanges {
  /** By campaign, in the order of the last changes. */
  private readonly newest = new Map<string, { readonly sequence: number; readonly frame: EventFrame }>()

  /** @param complete the sequence number after which every change is known */
  constructor(private complete: number) {}

  push(campaignId: string, sequence: number, frame: EventFrame): void {
    this.newest.delete(campaignId)
    this.newest.set(campaignId, { sequence, frame })
    if (this.newest.size <= MAX_CAMPAIGNS) return
    const [oldest] = this.newest
    if (oldest === undefined) return
    this.newest.delete(oldest[0])
    this.complete = oldest[1].sequence
  }

  /** What changed after a sequence number; null when that is not known any more, or the number is after the last one. */
  since(sequence: number, last: number): readonly EventFrame[] | null {
    if (sequence < this.complete || sequence > last) return null
    return [...this.newest.values()].filter((change) => change.sequence > sequence).map(({ frame }) => frame)
  }
}
