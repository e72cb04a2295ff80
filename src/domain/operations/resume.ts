import { type Static, type TObject, Type } from '@sinclair/typebox'
import type { Campaign, Decision } from '../campaign/campaign.ts'
import { ConfigHash } from '../campaign/manifest.ts'
import { DomainError } from '../errors.ts'
import { requeue } from '../experiment/attempt.ts'
import { type Experiment, ExpId } from '../experiment/experiment.ts'
import type { Counts } from '../indexes/status-counts.ts'
import { isBreak, type LongWork, mapOf } from '../long-work.ts'
import { StrictObject, StringEnum } from '../schema.ts'
import type { Origin } from './origin.ts'

export const ResumeRequest = StrictObject(
  {
    config_hash: Type.Optional(ConfigHash),
    experiments: Type.Optional(
      Type.Array(StrictObject({ exp_id: ExpId, config_hash: ConfigHash }), {
        maxItems: 100_000,
        description: 'The experiments as the caller has them now. Compared only when config_hash is given too',
      }),
    ),
    on_config_change: Type.Optional(
      StringEnum(['refuse', 'rerun_changed', 'accept'], {
        description:
          'What to do when a hash differs. `refuse`: nothing, 409. `rerun_changed`: run the experiments again whose own ' +
          'hash changed, completed or not. `accept`: continue as before. The last two store the new hashes. Default: refuse',
      }),
    ),
    retry_failed: Type.Optional(Type.Boolean({ description: 'Run failed ones again. Default: true' })),
    unleased: Type.Optional(
      StringEnum(['requeue', 'keep'], {
        description:
          'What to do with running experiments without a lease. `requeue`: back to pending, since a call of resume says ' +
          'that their orchestrator is gone. Default: requeue',
      }),
    ),
    dry_run: Type.Optional(Type.Boolean({ description: 'Only report what would happen. Default: false' })),
  },
  {
    $id: 'ResumeRequest',
    description: 'How to continue a campaign that was interrupted',
    examples: [{ config_hash: '0099efaa28b0', on_config_change: 'rerun_changed' }],
  },
)

export type ResumeRequest = Static<typeof ResumeRequest>

const ChangedHash = StrictObject({
  exp_id: Type.String({ description: 'The experiment' }),
  from: Type.String({ description: 'Its config_hash in the campaign' }),
  to: Type.String({ description: 'Its config_hash in the request' }),
})

export const configDiffProperties = {
  config_changed: Type.Boolean({ description: 'A hash differs from the given one; false when none was given' }),
  changed: Type.Array(ChangedHash, { description: 'Experiments whose own hash differs' }),
  added: Type.Array(Type.String(), { description: 'Given and not in the campaign; they are not added' }),
  removed: Type.Array(Type.String(), { description: 'In the campaign and not given; they are not deleted' }),
}

/** How the configs that the caller has now differ from those of the campaign. */
type ConfigDiff = Readonly<Static<TObject<typeof configDiffProperties>>>

interface Step {
  readonly action: 'skip' | 'keep' | 'run'
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
 * Decides how an interrupted campaign continues, with a reason for each experiment.
 *
 * @returns the plan; no changes when it was carried out before, or for a dry run
 * @throws DomainError `config-changed` with the difference, when a hash changed and the caller did not choose
 */
export function* resume(campaign: Campaign, request: ResumeRequest, origin: Origin): LongWork<Decision<Resumed>> {
  const diff = yield* configDiff(campaign, request)
  const dryRun = request.dry_run === true
  const choice = request.on_config_change ?? 'refuse'
  if (diff.config_changed && choice === 'refuse' && !dryRun) throw configChanged(campaign, diff)

  const { plan, remaining, changed } = yield* planFor(
    campaign,
    request,
    choice === 'refuse' ? [] : diff.changed,
    origin,
  )
  const config_hash = choice === 'refuse' ? undefined : request.config_hash
  const newConfig = config_hash !== undefined && config_hash !== campaign.header.config_hash
  const changes =
    changed.length > 0 || newConfig
      ? { at: origin.now, changed, ...(newConfig ? { header: { config_hash } } : {}) }
      : null
  const next = changes === null ? undefined : yield* campaign.revised(changes)
  const after = next?.campaign ?? campaign
  const result = {
    ...diff,
    plan,
    remaining,
    counts: after.counts.by_status,
    revision: dryRun ? campaign.header.revision : after.header.revision,
  }
  return dryRun || changes === null ? { changes: null, result } : { changes, next, result }
}

interface Planned extends Pick<Resumed, 'plan' | 'remaining'> {
  readonly changed: readonly Experiment[]
}

function* planFor(
  campaign: Campaign,
  request: ResumeRequest,
  newConfigs: ConfigDiff['changed'],
  { now, actor }: Origin,
): LongWork<Planned> {
  const newHashes = yield* mapOf(newConfigs, ({ exp_id, to }) => [exp_id, to])
  const revision = campaign.nextRevision
  const plan: ({ exp_id: string } & Step)[] = []
  const remaining: string[] = []
  const changed: Experiment[] = []
  for (const experiment of campaign.experiments) {
    const { exp_id } = experiment
    const newHash = newHashes.get(exp_id)
    const rerun = request.on_config_change === 'rerun_changed' && newHash !== undefined
    const step = stepFor(experiment, request, rerun)
    plan.push({ exp_id, ...step })
    if (step.action === 'run') remaining.push(exp_id)
    const after = carryOut(experiment, { ...step, closedBy: rerun ? 'config' : 'resume' }, newHash, now)
    if (after !== experiment) changed.push({ ...after, actor, revision })
    if (isBreak(plan.length)) yield
  }
  return { plan, remaining, changed }
}

const NO_DIFF: ConfigDiff = { config_changed: false, changed: [], added: [], removed: [] }

/** Without a config_hash nothing is compared. */
function* configDiff(campaign: Campaign, { config_hash, experiments }: ResumeRequest): LongWork<ConfigDiff> {
  if (config_hash === undefined) return NO_DIFF
  const given = yield* mapOf(experiments ?? [], (one) => [one.exp_id, one.config_hash])
  const changed: ConfigDiff['changed'] = []
  const removed: string[] = []
  let count = 0
  for (const { exp_id, config_hash: from } of experiments === undefined ? [] : campaign.experiments) {
    const to = given.get(exp_id)
    if (to === undefined) removed.push(exp_id)
    else if (to !== from) changed.push({ exp_id, from, to })
    count += 1
    if (isBreak(count)) yield
  }
  const added: string[] = []
  for (const exp_id of given.keys()) {
    if (campaign.get(exp_id) === undefined) added.push(exp_id)
    count += 1
    if (isBreak(count)) yield
  }
  return {
    config_changed: config_hash !== campaign.header.config_hash || changed.length > 0,
    changed,
    added,
    removed,
  }
}

function stepFor({ status, lease }: Experiment, request: ResumeRequest, rerun: boolean): Step {
  if (status === 'skipped') return { action: 'skip', reason: 'skipped' }
  if (status === 'pending') return { action: 'run', reason: 'pending' }
  if (rerun) return { action: 'run', reason: `${status}, but its config changed` }
  if (status === 'completed') return { action: 'skip', reason: 'completed' }
  if (status === 'failed' && request.retry_failed !== false) return { action: 'run', reason: 'failed' }
  if (status === 'failed') return { action: 'skip', reason: 'failed, and failed ones are not to be retried' }
  // A lease in the manifest is live: when one expires, its experiment becomes failed.
  if (lease !== null) return { action: 'keep', reason: 'running under a live lease' }
  if (request.unleased === 'keep') return { action: 'keep', reason: 'running without a lease, and to be kept' }
  return { action: 'run', reason: 'running without a lease: its orchestrator is gone' }
}

interface Closing extends Step {
  readonly closedBy: 'config' | 'resume'
}

function carryOut(
  experiment: Experiment,
  { action, closedBy }: Closing,
  newHash: string | undefined,
  now: string,
): Experiment {
  const queued = action === 'run' && experiment.status !== 'pending' ? requeue(experiment, now, closedBy) : experiment
  if (newHash === undefined) return queued
  // A late result of an attempt with the old config must not count, whatever has become of the experiment since.
  const attempts = closedBy === 'config' ? requeue(experiment, now, closedBy).attempts : queued.attempts
  return { ...queued, attempts, config_hash: newHash }
}

function configChanged(campaign: Campaign, diff: ConfigDiff): DomainError {
  const detail =
    `The config of campaign ${campaign.header.campaign_id} is not the one it was created with ` +
    `(experiments whose own hash differs: ${diff.changed.length}). Choose on_config_change: rerun_changed or accept.`
  return new DomainError('config-changed', detail, { ...diff })
}
