import { type Static, Type } from '@sinclair/typebox'
import {
  type CampaignManifest,
  DEFAULT_SETTINGS,
  FORMAT,
  headerProperties,
  settingsProperties,
} from '../campaign/manifest.ts'
import { isLoss, type UsedBudgets, usedInHistory } from '../experiment/budgets.ts'
import {
  CampaignManifestEntry,
  ClaimId,
  copyOfExperiment,
  type Experiment,
  type FailureKind,
  LeaseSeconds,
  MAX_KEPT_ATTEMPTS,
  PastAttempt,
} from '../experiment/experiment.ts'
import { isBreak, type LongWork } from '../long-work.ts'
import { Nullable, StrictObject } from '../schema.ts'

/** The first format of our manifests, which has no key `format`. It is read, and written in the present one. */

const {
  actor: _actor,
  metrics: _metrics,
  failures: _failures,
  losses: _losses,
  ...entry
} = CampaignManifestEntry.properties
const { actor: _pastActor, metrics: _pastMetrics, closed_by: _closedBy, ...past } = PastAttempt.properties

export const Format1Entry = StrictObject({
  ...entry,
  lease: Nullable(StrictObject({ seconds: LeaseSeconds, claim_id: Nullable(ClaimId) })),
  attempts: Type.Array(StrictObject(past), { maxItems: MAX_KEPT_ATTEMPTS }),
})

const { max_retries, lease_seconds, paused } = settingsProperties
const { campaign_id, campaign_name, created_at, updated_at, config_hash, total_experiments, revision, uid, labels } =
  headerProperties

export const Format1Manifest = StrictObject({
  ...{ campaign_id, campaign_name, created_at, updated_at, config_hash, total_experiments, revision, uid },
  settings: StrictObject({ max_retries, lease_seconds, paused, cancel_running: Type.Optional(Type.Boolean()) }),
  labels,
  definition_digest: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  experiments: Type.Array(Format1Entry),
})

export type Format1Manifest = Static<typeof Format1Manifest>

/** The manifest in the present format. What was given up stays given up: there were no losses apart from failures. */
export function* upgraded(manifest: Format1Manifest): LongWork<CampaignManifest> {
  const { settings, labels: given, definition_digest, experiments, ...header } = manifest
  const { cancel_running = false, ...kept } = settings
  const entries: Experiment[] = []
  for (const [position, experiment] of experiments.entries()) {
    entries.push(upgradedEntry(experiment, settings.max_retries))
    if (isBreak(position)) yield
  }
  return {
    ...header,
    format: FORMAT,
    settings: { ...DEFAULT_SETTINGS, ...kept, max_losses: kept.max_retries },
    labels: given,
    archived: false,
    imported_at: null,
    cancel_running: kept.paused && cancel_running,
    bench_lifted: {},
    created_by: null,
    source: null,
    body_digest: null,
    definition_digest,
    experiments: entries,
  }
}

function upgradedEntry(
  { lease, attempts, ...experiment }: Static<typeof Format1Entry>,
  max_retries: number,
): Experiment {
  const ordered = inOrder(attempts, experiment)
  const used = usedInHistory({ current: experiment, attempt: experiment.attempt, attempts: ordered })
  const isGivenUp = experiment.status === 'failed' && experiment.retry_count >= max_retries
  return copyOfExperiment({
    ...experiment,
    actor: null,
    lease: lease === null ? null : { ...lease, claimed_at: null },
    metrics: null,
    ...(isGivenUp ? usedUp(used, experiment.failure_kind, max_retries) : used),
    attempts: ordered.map((one) => ({ ...one, actor: null, metrics: null, closed_by: null })),
  })
}

/** What its imports did not check: closed attempts ascend, and are before the one that is current. */
function inOrder<T extends { readonly attempt: number }>(
  attempts: readonly T[],
  { status, attempt }: Pick<Experiment, 'status' | 'attempt'>,
): T[] {
  const most = status === 'pending' || status === 'skipped' ? attempt : attempt - 1
  const sorted = attempts.toSorted((a, b) => a.attempt - b.attempt)
  return sorted.filter((one, index) => one.attempt <= most && one.attempt !== sorted[index + 1]?.attempt)
}

/** More than the budget of the kind of its last failure. There was one for all kinds, which others may have used up. */
function usedUp({ failures, losses }: UsedBudgets, kind: FailureKind | null, max: number): UsedBudgets {
  const least = max + 1
  return isLoss(kind) ? { failures, losses: Math.max(losses, least) } : { failures: Math.max(failures, least), losses }
}
