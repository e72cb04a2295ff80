import type { Campaign, Decision } from '../campaign/campaign.ts'
import { configDiff, type ConfigDiff } from './config-diff.ts'
import { DomainError } from '../errors.ts'
import type { Experiment } from '../experiment/experiment.ts'
import { requeue } from '../experiment/attempt.ts'
import type { ResumeRequest } from './resume-request.ts'
import type { Counts } from '../indexes/status-counts.ts'

type Action = 'skip' | 'keep' | 'run'

interface Step {
  readonly action: Action
  readonly reason: string
}

export interface Resumed extends ConfigDiff {
  readonly plan: readonly ({ readonly exp_id: string } & Step)[]
  /** What will run, in manifest order. */
  readonly remaining: readonly string[]
  /** By status, after the plan was carried out. */
  readonly counts: Counts
  readonly revision: number
}

/**
 * Decides how an interrupted campaign goes on, with a reason for each experiment.
 *
 * @returns the plan; no changes when it was carried out before, or for a dry run
 * @throws DomainError `config-changed` with the difference, when a hash changed and the caller did not choose
 */
export function resume(campaign: Campaign, request: ResumeRequest, now: string): Decision<Resumed> {
  const diff = configDiff(campaign, request)
  const dryRun = request.dry_run === true
  const choice = request.on_config_change ?? 'refuse'
  if (diff.config_changed && choice === 'refuse' && !dryRun) throw configChanged(campaign, diff)

  const newHashes = new Map(choice === 'refuse' ? [] : diff.changed.map(({ exp_id, to }) => [exp_id, to]))
  const revision = campaign.nextRevision
  const plan: ({ exp_id: string } & Step)[] = []
  const changed: Experiment[] = []
  for (const experiment of campaign.experiments) {
    const newHash = newHashes.get(experiment.exp_id)
    const step = stepFor(experiment, request, choice === 'rerun_changed' && newHash !== undefined)
    plan.push({ exp_id: experiment.exp_id, ...step })
    const after = carryOut(experiment, step, newHash, now)
    if (after !== experiment) changed.push({ ...after, revision })
  }

  const config_hash = choice === 'refuse' ? undefined : request.config_hash
  const newConfig = config_hash !== undefined && config_hash !== campaign.header.config_hash
  const changes =
    changed.length > 0 || newConfig ? { at: now, changed, ...(newConfig ? { header: { config_hash } } : {}) } : null
  const after = changes === null ? campaign : campaign.with(changes)
  const result = {
    ...diff,
    plan,
    remaining: plan.filter(({ action }) => action === 'run').map(({ exp_id }) => exp_id),
    counts: after.counts.by_status,
    revision: dryRun ? campaign.header.revision : after.header.revision,
  }
  return dryRun || changes === null ? { changes: null, result } : { changes, next: after, result }
}

function stepFor({ status, lease }: Experiment, request: ResumeRequest, rerun: boolean): Step {
  if (status === 'skipped') return { action: 'skip', reason: 'skipped' }
  if (status === 'pending') return { action: 'run', reason: 'pending' }
  if (rerun) return { action: 'run', reason: `${status}, but its config changed` }
  if (status === 'completed') return { action: 'skip', reason: 'completed' }
  if (status === 'failed') {
    return request.retry_failed === false
      ? { action: 'skip', reason: 'failed, and failed ones are not to be retried' }
      : { action: 'run', reason: 'failed' }
  }
  // A lease in the manifest is a live one: one that runs out turns its experiment into a failed one.
  if (lease !== null) return { action: 'keep', reason: 'running under a live lease' }
  return request.unleased === 'keep'
    ? { action: 'keep', reason: 'running without a lease, and to be kept' }
    : { action: 'run', reason: 'running without a lease: its orchestrator is gone' }
}

function carryOut(experiment: Experiment, { action }: Step, newHash: string | undefined, now: string): Experiment {
  const queued = action === 'run' && experiment.status !== 'pending' ? requeue(experiment, now) : experiment
  return newHash === undefined ? queued : { ...queued, config_hash: newHash }
}

function configChanged(campaign: Campaign, diff: ConfigDiff): DomainError {
  const detail =
    `The config of campaign ${campaign.header.campaign_id} is not the one it was created with ` +
    `(${diff.changed.length} experiments changed). Choose on_config_change: rerun_changed or accept.`
  return new DomainError('config-changed', detail, { ...diff })
}
