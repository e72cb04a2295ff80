import { stateOf, type CampaignState } from '../campaign/campaign-state.ts'
import type { Campaign } from '../campaign/campaign.ts'
import type { Counts } from '../indexes/status-counts.ts'
import type { CorruptCampaign } from './campaign-list.ts'
import { progressOf, type Progress } from './progress.ts'

/** A campaign in few words: cheap to have of all campaigns, since the progress is only worked out for who asks for it. */
export interface CampaignOverview {
  readonly campaign_id: string
  readonly updated_at: string
  readonly state: CampaignState
  /** Experiments by status. */
  readonly counts: Counts
  readonly revision: number
  readonly progress: Progress
}

/** One whose file cannot be trusted: nothing is known of its experiments. */
export interface CorruptOverview {
  readonly campaign_id: string
  readonly updated_at: string
  readonly state: 'corrupt'
  readonly counts: null
}

export function overviewOf(campaign: Campaign): CampaignOverview {
  const { campaign_id, updated_at, revision } = campaign.header
  return {
    ...{ campaign_id, updated_at, revision },
    state: stateOf(campaign),
    counts: campaign.counts.by_status,
    get progress() {
      return progressOf(campaign)
    },
  }
}

export function corruptOverviewOf({ campaign_id, updated_at, state }: CorruptCampaign): CorruptOverview {
  return { campaign_id, updated_at, state, counts: null }
}
