import { overviewOf } from '../domain/views/campaign-overview.ts'
import type { CampaignChange, OverviewChange, Unsubscribe } from './campaign-store.ts'

/** Publishes what was committed, in order: of one campaign, or of all in short. */
export class ChangeFeed {
  private readonly byCampaign = new Map<string, Set<(change: CampaignChange) => void>>()
  private readonly ofAll = new Set<(change: OverviewChange) => void>()

  watch(campaignId: string, listener: (change: CampaignChange) => void): Unsubscribe {
    const listeners = this.byCampaign.get(campaignId) ?? new Set()
    this.byCampaign.set(campaignId, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.byCampaign.get(campaignId) === listeners) this.byCampaign.delete(campaignId)
    }
  }

  watchAll(listener: (change: OverviewChange) => void): Unsubscribe {
    this.ofAll.add(listener)
    return () => this.ofAll.delete(listener)
  }

  emit(change: CampaignChange): void {
    for (const listener of [...(this.byCampaign.get(campaignOf(change)) ?? [])]) listener(change)
    if (this.ofAll.size === 0) return
    const brief = inShort(change)
    for (const listener of this.ofAll) listener(brief)
  }
}

function campaignOf(change: CampaignChange): string {
  return 'campaign' in change ? change.campaign.header.campaign_id : change.campaign_id
}

function inShort(change: CampaignChange): OverviewChange {
  if (change.type === 'deleted' || change.type === 'corrupted') return change
  const overview = overviewOf(change.campaign)
  if (change.type === 'created') return { type: 'created', overview }
  return { type: 'changed', overview, previous_revision: change.previous_revision }
}
