import { type Static, Type } from '@sinclair/typebox'
import type { Campaign } from '../campaign/campaign.ts'
import { CampaignState, hasEnded, isComplete, stateOf } from '../campaign/campaign-state.ts'
import { CampaignId, CampaignName, headerProperties } from '../campaign/manifest.ts'
import { Timestamp } from '../experiment/experiment.ts'
import { EXPERIMENT_STATUSES } from '../experiment/status.ts'
import { type GroupCounts, MAX_GROUPS } from '../indexes/status-counts.ts'
import { Dictionary, Nullable, ref, StrictObject } from '../schema.ts'

const Count = Type.Integer({ minimum: 0 })

export const StatusCounts = StrictObject(
  Object.fromEntries(
    EXPERIMENT_STATUSES.map((status) => [status, { ...Count, description: `How many are ${status}` }]),
  ) as Record<(typeof EXPERIMENT_STATUSES)[number], typeof Count>,
  {
    $id: 'StatusCounts',
    description: 'Experiments by status',
    examples: [{ pending: 7, running: 0, completed: 9, failed: 2, skipped: 0 }],
  },
)

const CountsRef = ref(StatusCounts)

function countsBy(key: string) {
  return Nullable(Dictionary(CountsRef, { maxProperties: MAX_GROUPS }), {
    description: `Experiments by ${key} and status; null when there are more than ${MAX_GROUPS} of them`,
  })
}

export const Progress = StrictObject(
  {
    campaign_id: CampaignId,
    campaign_name: CampaignName,
    revision: headerProperties.revision,
    state: CampaignState,
    total: Type.Integer({ minimum: 0, description: 'Number of experiments' }),
    counts: CountsRef,
    remaining: Type.Integer({ minimum: 0, description: 'Experiments still to run: pending and failed' }),
    progress_fraction: Type.Number({
      minimum: 0,
      maximum: 1,
      description: 'completed / total; 0 of an empty campaign',
    }),
    is_complete: Type.Boolean({ description: 'There are experiments, and every one is completed or skipped' }),
    started_at: Nullable(Timestamp, { description: 'The earliest start among the current attempts; null: none' }),
    updated_at: Timestamp,
    failures: Dictionary(Count, { description: 'Failed experiments by failure_kind', examples: [{ error: 2 }] }),
    by_backend: countsBy('backend'),
    by_cycle: countsBy('cycle_index'),
    eta_seconds: Nullable(Type.Integer({ minimum: 0 }), {
      description:
        'Seconds from updated_at until the campaign ends, by the median durations, at the present number of running ' +
        'experiments. Null before anything is completed; 0 when the campaign has ended',
      examples: [5400],
    }),
  },
  { $id: 'Progress', description: 'Progress of a campaign at one revision' },
)

export type Progress = Static<typeof Progress>

/** The progress of the campaign. Its cost grows with the running experiments, not with all. */
export function progressOf(campaign: Campaign): Progress {
  const { header, counts } = campaign
  const { by_status } = counts
  return {
    campaign_id: header.campaign_id,
    campaign_name: header.campaign_name,
    revision: header.revision,
    state: stateOf(campaign),
    total: header.total_experiments,
    counts: by_status,
    remaining: by_status.pending + by_status.failed,
    progress_fraction: header.total_experiments === 0 ? 0 : by_status.completed / header.total_experiments,
    is_complete: isComplete(campaign),
    started_at: campaign.experiments.summary.earliest_start,
    updated_at: header.updated_at,
    failures: Object.fromEntries([...counts.failures].filter(([, count]) => count > 0)),
    by_backend: grouped(counts.by_backend),
    by_cycle: grouped(counts.by_cycle),
    eta_seconds: etaSeconds(campaign),
  }
}

function grouped<K extends string | number>(groups: GroupCounts<K>): Progress['by_backend'] {
  return groups === null ? null : Object.fromEntries(groups)
}

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
  const time = waiting + runningTime(campaign)
  return Math.round(time / Math.max(1, by_status.running) / 1000)
}

/** Milliseconds that the running experiments still take, all together. Many start in one moment. */
function runningTime({ header, counts: { durations }, experiments }: Campaign): number {
  const now = Date.parse(header.updated_at)
  const timeSince = remembering((started_at) => Math.max(0, now - Date.parse(started_at)))
  let time = 0
  experiments.each('running', ({ started_at }, position) => {
    time += Math.max(0, (durations.usual(position) ?? 0) - (started_at === null ? 0 : timeSince(started_at)))
  })
  return time
}

function remembering<T>(make: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>()
  return (key) => {
    let value = known.get(key)
    if (value === undefined) known.set(key, (value = make(key)))
    return value
  }
}
