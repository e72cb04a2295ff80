import { type Static, Type } from '@sinclair/typebox'
import { MAX_EXPERIMENTS } from '../campaign/campaign-size.ts'
import { FORMAT, headerProperties, settingsProperties } from '../campaign/manifest.ts'
import { invalid } from '../errors.ts'
import {
  CampaignManifestEntry,
  ClaimId,
  definitionProperties,
  LeaseSeconds,
  MAX_ATTEMPTS,
  MAX_KEPT_ATTEMPTS,
  PastAttempt,
  TimeInput,
  Timestamp,
} from '../experiment/experiment.ts'
import { RunId } from '../experiment/run-id.ts'
import type { LongWork } from '../long-work.ts'
import { FreeText, Nullable, ref, SafeInteger, StrictObject } from '../schema.ts'
import { experimentsOf, Matrix } from './matrix.ts'

const { actor: pastActor, metrics: pastMetrics, closed_by, ...past } = PastAttempt.properties

const PastAttemptDraft = StrictObject(
  {
    ...past,
    attempt: SafeInteger(1, { maximum: MAX_ATTEMPTS, description: 'Number of the attempt, from 1' }),
    actor: Type.Optional(pastActor),
    metrics: Type.Optional(pastMetrics),
    started_at: Nullable(TimeInput),
    completed_at: Nullable(TimeInput),
    closed_by: Type.Optional(closed_by),
  },
  { description: 'A closed earlier attempt' },
)

const entry = CampaignManifestEntry.properties

/** One of an earlier format has no claimed_at. */
const IgnoredLease = StrictObject({
  seconds: LeaseSeconds,
  claim_id: Nullable(ClaimId, { description: 'The claim that started the attempt' }),
  claimed_at: Type.Optional(Nullable(Timestamp)),
})

const LEFT_OUT = 'Left out it is counted from the attempts'

/** Of an import: what it begins with must leave room to count on. */
function Counted(description: string) {
  return SafeInteger(0, { maximum: MAX_ATTEMPTS, description })
}

export const ExperimentDraft = StrictObject(
  {
    ...definitionProperties,
    status: Type.Optional(entry.status),
    result_path: Type.Optional(entry.result_path),
    started_at: Type.Optional(Nullable(TimeInput)),
    completed_at: Type.Optional(Nullable(TimeInput)),
    error: Type.Optional(Nullable(FreeText(), { description: 'What went wrong; of a long text the end is kept' })),
    retry_count: Type.Optional(Counted('Starts after the first: max(0, attempt - 1)')),
    attempt: Type.Optional(Counted('How many times it has been started; 0: never')),
    worker: Type.Optional(entry.worker),
    actor: Type.Optional(entry.actor),
    failure_kind: Type.Optional(entry.failure_kind),
    metrics: Type.Optional(entry.metrics),
    failures: Type.Optional(Counted(`Attempts that failed. ${LEFT_OUT}`)),
    losses: Type.Optional(Counted(`Attempts that were lost or interrupted. ${LEFT_OUT}`)),
    attempts: Type.Optional(
      Type.Array(PastAttemptDraft, {
        maxItems: MAX_KEPT_ATTEMPTS,
        description: 'Closed earlier attempts, newest last',
      }),
    ),
    revision: Type.Optional(SafeInteger(1, { description: 'Ignored: the service assigns revisions' })),
    lease: Type.Optional(Nullable(IgnoredLease, { description: 'Ignored: a lease is not imported' })),
    run_id: Type.Optional(Nullable(RunId, { description: 'Ignored: a run is not imported' })),
  },
  {
    $id: 'ExperimentDraft',
    description: 'An experiment to create: its definition, and for an import its progress',
    examples: [
      {
        exp_id: '0001',
        config_name: 'vllm_example',
        config_path: 'configs/vllm_example.yaml',
        config_hash: '35639109e3f6',
        backend: 'vllm',
        container: 'vllm',
        cycle_index: 0,
      },
    ],
  },
)

export const SettingsDraft = Type.Partial(StrictObject(settingsProperties), {
  description: 'How the campaign is run; what is left out keeps its value or its default',
  examples: [{ max_retries: 2, lease_seconds: 120 }],
})

/** One of an earlier format had cancel_running among them. */
const ImportedSettings = Type.Partial(
  StrictObject({
    ...settingsProperties,
    cancel_running: Type.Boolean({ description: 'Ignored: of a manifest of an earlier format' }),
  }),
  {
    description: 'How the campaign is run; what is left out has its default',
    examples: [{ max_retries: 2, lease_seconds: 120 }],
  },
)

const { revision, uid, imported_at, cancel_running, bench_lifted, created_by, body_digest, definition_digest } =
  headerProperties

/** What only the service sets: a whole manifest has it, so it is taken and set anew. */
const IGNORED = {
  format: Type.Optional(SafeInteger(1, { maximum: FORMAT, description: 'Ignored: format of the manifest' })),
  revision: Type.Optional(revision),
  uid: Type.Optional(uid),
  imported_at: Type.Optional(imported_at),
  cancel_running: Type.Optional(cancel_running),
  bench_lifted: Type.Optional(bench_lifted),
  created_by: Type.Optional(created_by),
  body_digest: Type.Optional(body_digest),
  definition_digest,
}

const wholeProperties = {
  campaign_id: Type.Optional(headerProperties.campaign_id),
  campaign_name: headerProperties.campaign_name,
  created_at: Type.Optional(TimeInput),
  updated_at: Type.Optional(TimeInput),
  config_hash: headerProperties.config_hash,
  total_experiments: Type.Optional(
    SafeInteger(0, { description: 'Refused unless it equals the length of the list', examples: [1] }),
  ),
  settings: Type.Optional(ImportedSettings),
  labels: Type.Optional(headerProperties.labels),
  archived: Type.Optional(headerProperties.archived),
  source: Type.Optional(headerProperties.source),
  ...IGNORED,
  experiments: Type.Array(ref(ExperimentDraft), {
    maxItems: MAX_EXPERIMENTS,
    description: 'In the order in which they are run; they may be appended later',
  }),
}

/** With its experiments one by one. */
export const WholeDraft = StrictObject(wholeProperties)

export const CampaignDraft = StrictObject(
  { ...wholeProperties, experiments: Type.Optional(wholeProperties.experiments), matrix: Type.Optional(Matrix) },
  {
    $id: 'CampaignDraft',
    description:
      'A campaign to create: a name, a hash and experiments; or a whole manifest, of campaignd or the Python tool, to ' +
      'import. Of an import `created_at` and `updated_at` are kept; what only the service sets is ignored.',
    examples: [
      { campaign_name: 'vllm smoke', config_hash: '122c4294b672', experiments: ExperimentDraft.examples as unknown[] },
    ],
  },
)

/** How many experiments a draft describes. */
export function countOf({ experiments, matrix }: CampaignDraft): number {
  return experiments?.length ?? (matrix === undefined ? 0 : matrix.configs.length * matrix.cycles)
}

/** Bytes that its experiments have at least, as far as a short body may describe long ones. */
export function bytesOf({ matrix }: CampaignDraft): number {
  if (matrix === undefined) return 0
  return matrix.configs.reduce((bytes, config) => bytes + Buffer.byteLength(JSON.stringify(config)), 0) * matrix.cycles
}

/**
 * The draft with its experiments, also where it has a matrix in their place.
 * @throws DomainError `invalid` when it has both or neither
 */
export function* wholeDraft({ matrix, experiments, ...draft }: CampaignDraft): LongWork<WholeDraft> {
  if (matrix !== undefined && experiments !== undefined) {
    throw invalid({ pointer: '/matrix', detail: 'cannot be given together with experiments' })
  }
  if (experiments !== undefined) return { ...draft, experiments }
  if (matrix === undefined) throw invalid({ pointer: '/experiments', detail: 'is required, or a matrix in its place' })
  return { ...draft, experiments: yield* experimentsOf(matrix) }
}

export type ExperimentDraft = Static<typeof ExperimentDraft>
export type WholeDraft = Static<typeof WholeDraft>
export type CampaignDraft = Static<typeof CampaignDraft>
