/** What a whole manifest of the Python tool makes of a campaign, written a second time and otherwise. */

import { isDeepStrictEqual } from 'node:util'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentDraft } from '#campaignd/domain/operations/draft.js'
import { counted } from './budget-model.js'
import { drafted, type PlainCampaign, revised } from './campaign-model.js'
import { requeued } from './experiment-model.js'
import { Refused } from './refused.js'

/** What the tool knows of an experiment that is there. */
export type Told = Pick<
  Experiment,
  'status' | 'result_path' | 'started_at' | 'completed_at' | 'error' | 'retry_count'
> &
  Pick<Experiment, 'exp_id' | 'config_path' | 'config_hash' | 'backend' | 'container' | 'config_name' | 'cycle_index'>

export interface SavedFile {
  readonly campaign_name: string
  readonly told: readonly Told[]
  readonly more: readonly ExperimentDraft[]
  readonly force: boolean
}

export function toldOf(one: Experiment): Told {
  const { exp_id, config_name, config_path, config_hash, backend, container, cycle_index } = one
  const { status, result_path, started_at, completed_at, error, retry_count } = one
  return {
    ...{ exp_id, config_name, config_path, config_hash, backend, container, cycle_index },
    ...{ status, result_path, started_at, completed_at, error, retry_count },
  }
}

/** The very same campaign when all is so already. @throws Refused for what would be lost */
export function savedOver(campaign: PlainCampaign, file: SavedFile, now: string): PlainCampaign {
  const { campaign_name, force } = file
  const revision = campaign.revision + 1
  const told = new Map(file.told.map((one) => [one.exp_id, one]))
  const list = campaign.experiments.map((one) => savedOne(one, told.get(one.exp_id) ?? toldOf(one), now, revision))
  const lost = file.told.flatMap(({ exp_id }) => {
    const at = campaign.experiments.findIndex((one) => one.exp_id === exp_id)
    const one = campaign.experiments[at]
    const isPrecious = one !== undefined && (one.status === 'completed' || one.lease !== null)
    return isPrecious && list[at] !== one && !force ? [exp_id] : []
  })
  const missing = campaign.experiments.map(({ exp_id }) => exp_id).filter((id) => !told.has(id))
  const first = [...lost, ...missing].map((exp_id) => ({ exp_id, reason: '' })).slice(0, 10)
  if (first.length > 0)
    throw new Refused(409, 'would-lose', { would_lose: { count: lost.length + missing.length, first } })
  const experiments = [...list, ...drafted(file.more, revision)]
  const changes = { campaign_name, experiments, total_experiments: experiments.length }
  return isDeepStrictEqual({ ...campaign, ...changes }, campaign) ? campaign : revised(campaign, now, changes)
}

function savedOne(ours: Experiment, told: Told, now: string, revision: number): Experiment {
  if (isDeepStrictEqual(toldOf(ours), { ...told, retry_count: Math.max(told.retry_count, ours.retry_count) }))
    return ours
  const waits = told.status === 'pending' || told.status === 'skipped'
  const isNew = waits && told.started_at === null && told.retry_count === 0
  const number = isNew ? 0 : told.retry_count + 1
  const isSameStart = told.started_at === ours.started_at
  const goesOn = told.status !== 'pending' && number <= ours.attempt && isItsOwn(ours, isSameStart)
  const by =
    told.status === 'pending' && ours.status !== 'pending'
      ? ours.status === 'completed'
        ? 'retry'
        : 'requeue'
      : 'start'
  const before = goesOn ? ours : requeued(ours, now, by)
  const afterRecorded = (before.attempts.at(-1)?.attempt ?? 0) + (waits ? 0 : 1)
  const attempt = goesOn ? ours.attempt : Math.max(number, ours.attempt, afterRecorded)
  const wasFailed = goesOn && isSameStart && ours.status === 'failed'
  const failure_kind = told.status !== 'failed' ? null : wasFailed ? ours.failure_kind : 'error'
  const after: Experiment = {
    ...{ ...before, ...told, attempt, retry_count: Math.max(0, attempt - 1), failure_kind, lease: null },
    ...{ metrics: goesOn && isSameStart ? ours.metrics : null, actor: null, revision },
  }
  return after.status === 'failed' && !wasFailed ? counted(after) : after
}

/** The attempt that is current, and that no worker of ours still runs or ran otherwise. */
function isItsOwn(ours: Experiment, isSameStart: boolean): boolean {
  const { status, attempt, attempts, worker, lease, failure_kind } = ours
  const isCurrent = status !== 'pending' && attempt > 0 && attempts.at(-1)?.attempt !== attempt
  const isHeld =
    failure_kind === 'lost' || ((status === 'running' || status === 'skipped') && (worker !== null || lease !== null))
  return isCurrent && !isHeld && (worker === null || isSameStart)
}
