import type { Campaign } from '../campaign/campaign.ts'
import { hasEnded } from '../campaign/campaign-state.ts'

/**
 * Seconds from `updated_at` until the campaign ends: the median duration of each remaining experiment's config and backend
 * (else of its backend, else of the campaign), less the time that running ones have run, divided by the number of running
 * ones. Null before anything is completed. A function of the campaign alone, so constant at one revision.
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
