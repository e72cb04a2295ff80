import { countBenched } from '../campaign/benching.ts'
import type { Campaign } from '../campaign/campaign.ts'
import { type CampaignState, stateOf } from '../campaign/campaign-state.ts'
import type { CampaignHeader } from '../campaign/manifest.ts'
import type { Counts } from '../indexes/status-counts.ts'
import type { CorruptCampaign } from './campaign-list.ts'
import { type Progress, progressOf } from './progress.ts'

/** A short view of a campaign, cheap for all campaigns: the progress is computed only when it is read. */
export interface CampaignOverview extends Pick<CampaignHeader, 'campaign_id' | 'updated_at' | 'revision'> {
  readonly state: CampaignState
  /** Experiments by status. */
  readonly counts: Counts
  readonly progress: Progress
  /** How many workers are benched at a time. */
  readonly benched: (now: string) => number
  /** Of its manifest. */
  readonly bytes: number
}

/** Of a campaign whose file cannot be trusted: its experiments are unknown. */
export interface CorruptOverview extends Pick<CorruptCampaign, 'campaign_id' | 'updated_at' | 'state'> {
  readonly counts: null
}

export function overviewOf(campaign: Campaign): CampaignOverview {
  const { campaign_id, updated_at, revision } = campaign.header
  return {
    campaign_id,
    updated_at,
    revision,
    state: stateOf(campaign),
    counts: campaign.counts.by_status,
    bytes: campaign.bytes,
    benched: (now) => countBenched(campaign, now),
    get progress() {
      return progressOf(campaign)
    },
  }
}

export function corruptOverviewOf({ campaign_id, updated_at, state }: CorruptCampaign): CorruptOverview {
  return { campaign_id, updated_at, state, counts: null }
}
