import type { Campaign } from '../campaign/campaign.ts'
import { hasEnded } from '../campaign/campaign-state.ts'

/**
 * Seconds, counted from `updated_at`, until all that remains is done: what it usually takes, by the median of its
 * config and backend (else of its backend, else of the campaign), less what the running ones have done, over as many
 * as run at once. Null before anything is completed. It is a function of the campaign alone, so it never changes under
 * an unchanged revision.
 */
export function etaSeconds(campaign: Campaign): number | null {
  if (hasEnded(campaign)) return 0
  const { durations, by_status } = campaign.counts
  const waiting = durations.remaining
  if (waiting === null) return null
  const now = Date.parse(campaign.header.updated_at)
  let time = waiting
  for (const experiment of campaign.inStatus('running')) {
    const done = experiment.started_at === null ? 0 : Math.max(0, now - Date.parse(experiment.started_at))
    time += Math.max(0, (durations.usual(experiment) ?? 0) - done)
  }
  return Math.round(time / Math.max(1, by_status.running) / 1000)
}
