import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { EXPERIMENT_STATUSES, type ExperimentStatus } from '#campaignd/domain/experiment/status.js'
import { earliest } from '../arguments/times.js'
import { isWithinBudget } from './budget-model.js'
import type { PlainCampaign } from './campaign-model.js'

/** The progress of a campaign, counted anew, but for the estimate. */
export function progressOf(campaign: PlainCampaign) {
  const { campaign_id, campaign_name, revision, updated_at, experiments } = campaign
  const counts = countsOf(experiments)
  return {
    campaign_id,
    campaign_name,
    revision,
    state: stateOf(campaign),
    total: experiments.length,
    counts,
    remaining: counts.pending + counts.failed,
    progress_fraction: experiments.length === 0 ? 0 : counts.completed / experiments.length,
    is_complete: isComplete(campaign),
    started_at: earliest(experiments.map(({ started_at }) => started_at)),
    updated_at,
    failures: failuresOf(experiments),
    by_backend: groupsOf(experiments, ({ backend }) => backend),
    by_cycle: groupsOf(experiments, ({ cycle_index }) => String(cycle_index)),
  }
}

export function stateOf(campaign: PlainCampaign): string {
  const { experiments, settings } = campaign
  const counts = countsOf(experiments)
  const isAgain = experiments.some((one) => isWithinBudget(one, settings))
  if (isComplete(campaign)) return 'completed'
  if (settings.paused) return 'paused'
  if (counts.running > 0) return 'running'
  if (counts.failed > 0 && counts.pending === 0 && !isAgain) return 'failed'
  return experiments.some(({ attempt }) => attempt > 0) ? 'idle' : 'pending'
}

/** One without experiments has completed nothing. */
function isComplete({ experiments }: PlainCampaign): boolean {
  const { completed, skipped } = countsOf(experiments)
  return experiments.length > 0 && completed + skipped === experiments.length
}

export function countsOf(experiments: readonly Experiment[]): Record<ExperimentStatus, number> {
  const counted = EXPERIMENT_STATUSES.map((status) => [
    status,
    experiments.filter((one) => one.status === status).length,
  ])
  return Object.fromEntries(counted) as Record<ExperimentStatus, number>
}

function failuresOf(experiments: readonly Experiment[]): Record<string, number> {
  const failures: Record<string, number> = {}
  for (const { status, failure_kind } of experiments) {
    if (status !== 'failed') continue
    const kind = failure_kind ?? 'error'
    failures[kind] = (failures[kind] ?? 0) + 1
  }
  return failures
}

function groupsOf(experiments: readonly Experiment[], keyOf: (one: Experiment) => string) {
  const keys = [...new Set(experiments.map(keyOf))]
  if (keys.length > 200) return null
  return Object.fromEntries(keys.map((key) => [key, countsOf(experiments.filter((one) => keyOf(one) === key))]))
}
