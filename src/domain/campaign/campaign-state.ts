import type { Static } from '@sinclair/typebox'
import { StringEnum } from '../schema.ts'
import type { Campaign } from './campaign.ts'

export const CAMPAIGN_STATES = ['corrupt', 'completed', 'paused', 'running', 'failed', 'idle', 'pending'] as const

export const CampaignState = StringEnum(CAMPAIGN_STATES, {
  description:
    'The first that holds. `corrupt`: its file cannot be trusted. `completed`: there are experiments, and all are completed or skipped. `paused`: nothing ' +
    'can be claimed. `running`: an experiment is running. `failed`: some failed; none is running, pending or can be ' +
    'claimed again. `idle`: some were started, and none is running. `pending`: none was ever started',
  examples: ['running'],
})

export type CampaignState = Static<typeof CampaignState>

export function stateOf(campaign: Campaign): Exclude<CampaignState, 'corrupt'> {
  const { by_status, ever_started } = campaign.counts
  if (isComplete(campaign)) return 'completed'
  if (campaign.header.settings.paused) return 'paused'
  if (by_status.running > 0) return 'running'
  if (hasEnded(campaign)) return 'failed'
  return ever_started > 0 ? 'idle' : 'pending'
}

/** True when there were experiments, and nothing is running, pending or can be claimed again. */
export function hasEnded({ counts, queues, header }: Campaign): boolean {
  const { running, pending } = counts.by_status
  return header.total_experiments > 0 && running + pending === 0 && !queues.hasClaimable({}, header.settings)
}

/** True when there are experiments, and every one is completed or skipped. */
export function isComplete({ counts, header }: Campaign): boolean {
  const { completed, skipped } = counts.by_status
  return header.total_experiments > 0 && completed + skipped === header.total_experiments
}
