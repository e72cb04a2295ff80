import { Campaign } from '#campaignd/domain/campaign/campaign.js'
import type { CampaignChange, Committed, Unsubscribe } from '#campaignd/repository/campaign-store.js'
import { ChangeFeed } from '#campaignd/repository/change-feed.js'
import { newManifest } from './decisions.js'

/** A committed state of which only the parts of its bytes matter, and which one it is. */
export function committedState(
  id: string,
  parts: readonly Uint8Array[],
  given: { readonly revision?: number; readonly uid?: string } = {},
): Committed {
  const nothing = () => {
    throw new Error('only the parts are read')
  }
  return {
    campaign: Campaign.of({ ...newManifest(id, 1), ...given }),
    encoded: { parts, list: nothing, experiment: nothing, sizeOf: nothing },
  }
}

/** A store of which only what is committed matters: nothing until the first change of a campaign. */
export class StateFeed {
  private readonly feed = new ChangeFeed()
  private readonly committed = new Map<string, Committed>()

  read(id: string): Promise<Committed> {
    const committed = this.committed.get(id)
    return committed === undefined ? Promise.reject(new Error('campaign-not-found')) : Promise.resolve(committed)
  }

  watch(id: string, listener: (change: CampaignChange) => void): Unsubscribe {
    return this.feed.watch(id, listener)
  }

  /** Commits a state without a word. */
  keep(state: Committed): void {
    this.committed.set(state.campaign.header.campaign_id, state)
  }

  create(state: Committed): void {
    this.keep(state)
    this.feed.emit({ type: 'created', ...state })
  }

  commit(state: Committed): void {
    this.keep(state)
    this.feed.emit({
      ...{ type: 'changed', previous_revision: state.campaign.header.revision - 1, experiments: [], shrunk: 0 },
      ...state,
    })
  }

  delete(campaignId: string): void {
    this.committed.delete(campaignId)
    this.feed.emit({ type: 'deleted', campaign_id: campaignId })
  }
}
