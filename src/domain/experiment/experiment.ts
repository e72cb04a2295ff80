import { type Static, Type } from '@sinclair/typebox'
import { Dictionary, FreeText, Name, Nullable, SafeInteger, StrictObject, StringEnum, Text } from '../schema.ts'
import { TIME_INPUT } from '../timestamp.ts'
import { MAX_ERROR_BYTES, MAX_PAST_ERROR_BYTES } from './error-text.ts'
import { EXPERIMENT_STATUSES } from './status.ts'

/** How many closed attempts an experiment keeps: the newest. */
export const MAX_KEPT_ATTEMPTS = 20

/** An instant as the manifest holds it: RFC 3339, UTC, with a `Z`, one to nine fraction digits or none. */
export const Timestamp = Type.String({
  format: 'date-time',
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:[0-5]\\d(\\.\\d{1,9})?Z$',
  description: 'RFC 3339, UTC',
  examples: ['2026-02-03T21:04:17.319Z'],
})

/** An instant in a request. */
export const TimeInput = Type.String({
  pattern: TIME_INPUT,
  description:
    'RFC 3339, or as Python, GNU date and Go print times; without an offset it is read in the zone of `?timezone=`. The digits of ' +
    'its fraction are kept',
  examples: ['2026-02-03T21:04:17.319Z', '2026-02-03 21:04:17.319159'],
})

/** What `exp-id` forbids, for readers of the schema that do not know that format: all of it but rare invisible characters. */
const EXP_ID_PATTERN =
  '^(?!\\.{1,2}$)(?!\\s)[^/\\\\\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u180e' +
  '\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ud800-\\udfff\\ufeff\\ufff9-\\ufffb]+(?<!\\s)$'

export const ExpId = Type.String({
  minLength: 1,
  maxLength: 256,
  format: 'exp-id',
  pattern: EXP_ID_PATTERN,
  description:
    'Names the experiment; unique in its campaign. 1 to 256 characters of any script, but no `/` and no `\\`, no blank at an ' +
    'end, no control character and nothing invisible; not `.` or `..`. Percent-encoded in a path',
  examples: ['0042'],
})

export const Worker = Name({
  minLength: 1,
  maxLength: 256,
  description: 'Who runs the experiment: a container, host or process name of your choice',
  examples: ['gpu-node-1/vllm'],
})

export const ResultPath = Text('Location of the result; opaque to the service', 'results/aggregated/0042.json')

export const Metrics = Dictionary(Type.Number(), {
  names: { minLength: 1, maxLength: 64, format: 'printable' },
  maxProperties: 32,
  description: 'What was measured, by name: finite numbers, to be compared and plotted',
  examples: [{ tokens_per_s: 812.4, energy_j: 5.2e4 }],
})

/** The name of a token. */
const Actor = Name({ maxLength: 256, examples: ['gpu-node-1'] })

export const Status = StringEnum(EXPERIMENT_STATUSES, {
  description: 'Status of the experiment',
  examples: ['running'],
})

export const REPORTABLE_FAILURE_KINDS = ['error', 'interrupted', 'timeout', 'oom'] as const

export const FailureKind = StringEnum([...REPORTABLE_FAILURE_KINDS, 'lost'], {
  description: 'Why it failed. `lost`: the lease expired; only the server sets it',
  examples: ['oom'],
})

/** By what an attempt was closed: see `requeue` and `startAttempt`. */
export const CLOSED_BY = ['start', 'requeue', 'resume', 'lease', 'pause', 'retry', 'config'] as const

export const Attempt = SafeInteger(0, {
  description: 'How many times the experiment has been started; 0: never',
  examples: [1],
})

/** More than any experiment is started. What is imported must be below, so that it can be counted on. */
export const MAX_ATTEMPTS = 1_000_000

export const LeaseSeconds = Type.Integer({
  minimum: 1,
  maximum: 86_400,
  description: 'For how many seconds a worker holds the experiment without a heartbeat',
  examples: [60],
})

/** What defines an experiment: fixed at creation, but for a config_hash that a resume accepts. */
export const definitionProperties = {
  exp_id: ExpId,
  config_name: Text('Name of its config; neither it nor cycle_index is unique', 'vllm-Llama-3.1-8B-bfloat16'),
  config_path: Text('Where the config comes from', 'configs/vllm_example.yaml'),
  config_hash: Text('Hash of the config; opaque', '2bab738210c9'),
  backend: Text('Inference backend', 'vllm'),
  container: Text('Container the worker runs in', 'vllm'),
  cycle_index: SafeInteger(0, { description: 'Which repetition of the config this is, from 0', examples: [0] }),
}

export const ClaimId = Name({ minLength: 1, maxLength: 256, examples: ['7d4c1b0e'] })

const Lease = StrictObject(
  {
    seconds: LeaseSeconds,
    claim_id: Nullable(ClaimId, { description: 'The claim that started the attempt; null: started without one' }),
    claimed_at: Nullable(Timestamp, { description: 'When it was claimed; null: started by a report' }),
  },
  { description: "A worker's time-limited hold on a running experiment" },
)

export const PastAttempt = StrictObject(
  {
    attempt: Attempt,
    worker: Nullable(Worker),
    actor: Nullable(Actor, { description: 'The name of the token by which it was last changed; null: none' }),
    status: StringEnum(['completed', 'failed', 'skipped'], { description: 'How the attempt ended' }),
    failure_kind: Nullable(FailureKind),
    error: Nullable(FreeText(), {
      description: `What went wrong: its last ${MAX_PAST_ERROR_BYTES} bytes, or fewer near the limit of the campaign`,
    }),
    result_path: Nullable(ResultPath),
    metrics: Nullable(Metrics),
    started_at: Nullable(Timestamp),
    completed_at: Nullable(Timestamp),
    closed_by: Nullable(StringEnum(CLOSED_BY), {
      description: 'What ended it for good: another start, or what put the experiment back to pending. Null: not known',
    }),
  },
  { description: 'A closed earlier attempt' },
)

export const CampaignManifestEntry = StrictObject(
  {
    ...definitionProperties,
    status: Status,
    result_path: Nullable(ResultPath),
    started_at: Nullable(Timestamp, { description: 'When the current attempt was started; RFC 3339, UTC' }),
    completed_at: Nullable(Timestamp, { description: 'When the current attempt ended; RFC 3339, UTC' }),
    error: Nullable(FreeText(), {
      description: `What went wrong, as reported: the last ${MAX_ERROR_BYTES} bytes, or fewer near the limit of the campaign`,
      examples: ['Exit code 137'],
    }),
    retry_count: SafeInteger(0, { description: 'Starts after the first: max(0, attempt - 1)', examples: [0] }),
    attempt: Attempt,
    revision: SafeInteger(1, {
      description: "The campaign's revision that last changed this experiment",
      examples: [27],
    }),
    worker: Nullable(Worker, { description: 'Who runs or ran the current attempt; null: not named' }),
    actor: Nullable(Actor, {
      description: 'The name of the token by which it was last changed; null: none, or by the service itself',
    }),
    failure_kind: Nullable(FailureKind, { description: 'Why it failed; null unless failed' }),
    lease: Nullable(Lease, { description: "A worker's time-limited hold; null: none, so it never expires" }),
    metrics: Nullable(Metrics, {
      description: 'What the completed attempt measured, by name; null: nothing was reported',
    }),
    failures: SafeInteger(0, {
      description: 'Attempts that failed (error, timeout, oom) since it was last put back to pending by hand',
      examples: [1],
    }),
    losses: SafeInteger(0, {
      description: 'Attempts that were lost or interrupted since it was last put back to pending by hand',
      examples: [0],
    }),
    attempts: Type.Array(PastAttempt, {
      maxItems: MAX_KEPT_ATTEMPTS,
      description: `Closed earlier attempts, newest last, at most ${MAX_KEPT_ATTEMPTS}`,
    }),
  },
  { $id: 'CampaignManifestEntry', description: 'One experiment of a campaign' },
)

export type FailureKind = Static<typeof FailureKind>
export type Metrics = Static<typeof Metrics>
export type ClosedBy = (typeof CLOSED_BY)[number]
export type PastAttempt = Static<typeof PastAttempt>
export type Experiment = Static<typeof CampaignManifestEntry>

type DefinitionKey = keyof typeof definitionProperties

/** The fields that define an experiment, in the order in which the definition digest reads them. */
export const DEFINITION_KEYS = Object.keys(definitionProperties) as DefinitionKey[]

/** The other fields. */
export const OUTCOME_KEYS = (Object.keys(CampaignManifestEntry.properties) as (keyof Experiment)[]).filter(
  (key) => !(key in definitionProperties),
)

/** True when all defining fields are equal. */
export function sameDefinition(a: Pick<Experiment, DefinitionKey>, b: Pick<Experiment, DefinitionKey>): boolean {
  return DEFINITION_KEYS.every((key) => a[key] === b[key])
}

/** `retry_count` as it follows from `attempt`. */
export function retryCount(attempt: number): number {
  return Math.max(0, attempt - 1)
}

/** A copy to be changed. Each field by its name, so that V8 has one hidden class for all: a spread made several. */
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
    actor: experiment.actor,
    failure_kind: experiment.failure_kind,
    lease: experiment.lease,
    metrics: experiment.metrics,
    failures: experiment.failures,
    losses: experiment.losses,
    attempts: experiment.attempts,
  }
}
