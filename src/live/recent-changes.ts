import { ByteCache } from '../runtime/byte-cache.ts'
import type { EventFrame } from './event-frame.ts'

/** More than is written between the loss of a connection and the reader's return: some ten thousand campaigns. */
const MAX_BYTES = 16 * 1024 * 1024

interface Recent {
  readonly sequence: number
  readonly frame: EventFrame
}

/**
 * The newest event of each campaign that changed, for readers of all campaigns that resume: they get each campaign once, as it
 * is now. Bounded by the bytes of the events, not by how often the campaigns change.
 */
export class RecentChanges {
  /** By campaign, in the order of the last changes. */
  private readonly newest: ByteCache<Recent>

  /** @param complete the sequence number after which every change is known */
  constructor(private complete: number) {
    this.newest = new ByteCache({
      maxBytes: MAX_BYTES,
      sizeOf: ({ frame }) => frame.bytes.length,
      onDropped: ({ sequence }) => {
        this.complete = Math.max(this.complete, sequence)
      },
    })
  }

  push(campaignId: string, sequence: number, frame: EventFrame): void {
    this.newest.set(campaignId, { sequence, frame })
  }

  /** What changed after a sequence number; null when that is not known any more, or the number is after the last one. */
  since(sequence: number, last: number): readonly EventFrame[] | null {
    if (sequence < this.complete || sequence > last) return null
    return this.newest
      .values()
      .filter((change) => change.sequence > sequence)
      .map(({ frame }) => frame)
  }
}
