import type { CampaignChange } from '../repository/campaign-store.ts'
import { inTurns } from '../runtime/turns.ts'
import { changeEvents } from './event-data.ts'
import type { EventSequence } from './event-sequence.ts'

export interface OrderedChangesOptions {
  readonly hasReaders: () => boolean
  /** @param events null when nobody reads them, or there are none */
  readonly publish: (change: CampaignChange, events: EventSequence | null) => void
}

/**
 * Publishes the changes of a campaign in their order. To plan the events of one that changes 100,000 experiments takes several turns
 * of the event loop: what comes meanwhile waits.
 */
export class OrderedChanges {
  private planning: Promise<void> | null = null
  private readonly waiting: CampaignChange[] = []

  constructor(private readonly options: OrderedChangesOptions) {}

  add(change: CampaignChange): void {
    if (this.planning === null) this.plan(change)
    else this.waiting.push(change)
  }

  /** Resolves when all that came is published. */
  async published(): Promise<void> {
    while (this.planning !== null) await this.planning
  }

  private plan(change: CampaignChange): void {
    const isRead = change.type === 'changed' && this.options.hasReaders()
    const events = isRead ? inTurns(changeEvents(change)) : null
    if (events instanceof Promise) this.planning = this.publishLater(change, events)
    else this.options.publish(change, events)
  }

  private async publishLater(change: CampaignChange, planned: Promise<EventSequence>): Promise<void> {
    this.options.publish(change, await planned)
    this.planning = null
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      this.plan(next)
      if (this.isPlanning) break
    }
  }

  private get isPlanning(): boolean {
    return this.planning !== null
  }
}
