import { Type, type Static } from '@sinclair/typebox'
import { EXPERIMENT_STATUSES } from './status.ts'
import { Nullable, StringEnum } from '../schema.ts'
import { MAX_ERROR_BYTES, MAX_PAST_ERROR_BYTES } from './error-text.ts'

/** The longest history an experiment keeps; older attempts fall off. */
export const MAX_KEPT_ATTEMPTS = 20
const MAX_LEASE_SECONDS = 86_400

const MAX_TEXT = 4096
const LARGEST_INTEGER = Number.MAX_SAFE_INTEGER

/** An instant as the manifest holds it: RFC 3339, UTC, with a `Z`, one to nine fraction digits or none. */
export const Timestamp = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:[0-5]\\d(\\.\\d{1,9})?Z$',
  description: 'RFC 3339, UTC',
  examples: ['2026-02-03T21:04:17.319Z'],
})

export const ExpId = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:@+=-]{0,127}$',
  description: 'Names the experiment; unique in its campaign',
  examples: ['0042'],
})

export const Worker = Type.String({
  minLength: 1,
  maxLength: 256,
  description: 'Who runs the experiment: a container, host or process name of your choice',
  examples: ['gpu-node-1/vllm'],
})

export const ResultPath = Type.String({
  maxLength: MAX_TEXT,
  description: 'Where the result lies. Opaque to the service',
  examples: ['results/aggregated/0042.json'],
})

export const Status = StringEnum(EXPERIMENT_STATUSES, {
  description: 'Where the experiment stands',
  examples: ['running'],
})

export const REPORTABLE_FAILURE_KINDS = ['error', 'interrupted', 'timeout', 'oom'] as const
const FAILURE_KINDS = [...REPORTABLE_FAILURE_KINDS, 'lost'] as const

export const FailureKind = StringEnum(FAILURE_KINDS, {
  description: 'Why it failed. `lost`: the lease ran out; only the server sets it',
  examples: ['oom'],
})

export const Attempt = Type.Integer({
  minimum: 0,
  maximum: LARGEST_INTEGER,
  description: 'How many times the experiment has been started; 0: never',
  examples: [1],
})

export const LeaseSeconds = Type.Integer({
  minimum: 1,
  maximum: MAX_LEASE_SECONDS,
  description: 'For how many seconds a worker holds the experiment without a heartbeat',
  examples: [60],
})

/** What defines an experiment: fixed at creation and covered by the campaign's definition digest. */
export const definitionProperties = {
  exp_id: ExpId,
  config_name: Type.String({
    maxLength: MAX_TEXT,
    description: 'The config it runs. Not unique, with cycle_index neither',
    examples: ['vllm-Llama-3.1-8B-bfloat16'],
  }),
  config_path: Type.String({
    maxLength: MAX_TEXT,
    description: 'Where the config comes from',
    examples: ['configs/vllm_example.yaml'],
  }),
  config_hash: Type.String({
    maxLength: MAX_TEXT,
    description: 'Hash of the config; opaque',
    examples: ['2bab738210c9'],
  }),
  backend: Type.String({ maxLength: MAX_TEXT, description: 'Inference backend', examples: ['vllm'] }),
  container: Type.String({ maxLength: MAX_TEXT, description: 'Container the worker runs in', examples: ['vllm'] }),
  cycle_index: Type.Integer({
    minimum: 0,
    maximum: LARGEST_INTEGER,
    description: 'Which repetition of the config this is, from 0',
    examples: [0],
  }),
}

export const ClaimId = Type.String({ minLength: 1, maxLength: 256, examples: ['7d4c1b0e'] })

export const Lease = Type.Object(
  {
    seconds: LeaseSeconds,
    claim_id: Nullable(ClaimId, {
      description: 'The claim that took the experiment; null when it was started without one',
    }),
  },
  { additionalProperties: false, description: "A worker's time-limited hold on a running experiment" },
)

export const PastAttempt = Type.Object(
  {
    attempt: Attempt,
    worker: Nullable(Worker),
    status: StringEnum(['completed', 'failed', 'skipped'], { description: 'How the attempt ended' }),
    failure_kind: Nullable(FailureKind),
    error: Nullable(Type.String(), { description: `What went wrong: its last ${MAX_PAST_ERROR_BYTES} bytes` }),
    result_path: Nullable(ResultPath),
    started_at: Nullable(Timestamp),
    completed_at: Nullable(Timestamp),
  },
  { additionalProperties: false, description: 'A closed earlier attempt' },
)

export const CampaignManifestEntry = Type.Object(
  {
    ...definitionProperties,
    status: Status,
    result_path: Nullable(ResultPath),
    started_at: Nullable(Timestamp, { description: 'When the current attempt was started; RFC 3339, UTC' }),
    completed_at: Nullable(Timestamp, { description: 'When the current attempt ended; RFC 3339, UTC' }),
    error: Nullable(Type.String(), {
      description: `What went wrong, as reported: the last ${MAX_ERROR_BYTES} bytes`,
      examples: ['Exit code 137'],
    }),
    retry_count: Type.Integer({
      minimum: 0,
      maximum: LARGEST_INTEGER,
      description: 'Starts after the first: max(0, attempt - 1)',
      examples: [0],
    }),
    attempt: Attempt,
    revision: Type.Integer({
      minimum: 1,
      maximum: LARGEST_INTEGER,
      description: "The campaign's revision that last changed this experiment",
      examples: [27],
    }),
    worker: Nullable(Worker, { description: 'Who runs or ran the current attempt; null: not named' }),
    failure_kind: Nullable(FailureKind, { description: 'Why it failed; null unless failed' }),
    lease: Nullable(Lease, {
      description: "A worker's time-limited hold; null: none, so it is never taken for lost",
    }),
    attempts: Type.Array(PastAttempt, {
      maxItems: MAX_KEPT_ATTEMPTS,
      description: `Closed earlier attempts, newest last, at most ${MAX_KEPT_ATTEMPTS}`,
    }),
  },
  { $id: 'CampaignManifestEntry', additionalProperties: false, description: 'One experiment of a campaign' },
)

export type FailureKind = Static<typeof FailureKind>
export type PastAttempt = Static<typeof PastAttempt>
export type Experiment = Static<typeof CampaignManifestEntry>

/** The seven fields that define an experiment, in the order in which the definition digest takes them. */
export const DEFINITION_KEYS = Object.keys(definitionProperties) as (keyof typeof definitionProperties)[]

/** The other fields: what becomes of it. */
export const OUTCOME_KEYS = (Object.keys(CampaignManifestEntry.properties) as (keyof Experiment)[]).filter(
  (key) => !(key in definitionProperties),
)

/** True when both run the same thing: all seven defining fields are equal. */
export function sameDefinition(
  a: Pick<Experiment, keyof typeof definitionProperties>,
  b: Pick<Experiment, keyof typeof definitionProperties>,
): boolean {
  return DEFINITION_KEYS.every((key) => a[key] === b[key])
}

/** `retry_count` as it follows from `attempt`. */
export function retryCount(attempt: number): number {
  return Math.max(0, attempt - 1)
}

/**
 * A copy to be changed, with each field by its name: so all that were reported on last have one layout in memory. Spread, they
 * had seven layouts while the engine learnt the code, which it then never ran in its fast way; with the header's copy that left
 * 64 and 256 writers 0.96 of their updates.
 */
export function copyOfExperiment(experiment: Experiment): Experiment {
  return {
    exp_id: experiment.exp_id,
    config_name: experiment.config_name,
    config_path: experiment.config_path,
    config_hash: experiment.config_hash,
    backend: experiment.backend,
    container: experiment.container,
    cycle_index: experiment.cycle_index,
    status: experiment.status,
    result_path: experiment.result_path,
    started_at: experiment.started_at,
    completed_at: experiment.completed_at,
    error: experiment.error,
    retry_count: experiment.retry_count,
    attempt: experiment.attempt,
    revision: experiment.revision,
    worker: experiment.worker,
    failure_kind: experiment.failure_kind,
    lease: experiment.lease,
    attempts: experiment.attempts,
  }
}
