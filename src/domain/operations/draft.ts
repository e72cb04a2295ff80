import { Type, type Static } from '@sinclair/typebox'
import {
  Attempt,
  CampaignManifestEntry,
  definitionProperties,
  FailureKind,
  Lease,
  MAX_KEPT_ATTEMPTS,
  PastAttempt,
  ResultPath,
  Status,
  Worker,
} from '../experiment/experiment.ts'
import {
  CampaignId,
  CampaignName,
  ConfigHash,
  headerProperties,
  Labels,
  settingsProperties,
} from '../campaign/manifest.ts'
import { Nullable, ref } from '../schema.ts'
import { TIME_INPUT_PATTERN } from '../timestamp.ts'

const TimeInput = Type.String({
  pattern: TIME_INPUT_PATTERN,
  description: 'RFC 3339; without an offset it is read in the zone of `?timezone=`, and keeps its digits',
  examples: ['2026-02-03T21:04:17.319159'],
})

/** The longest list that any setting allows. */
export const MAX_EXPERIMENTS = 1_000_000

const PastAttemptDraft = Type.Object(
  {
    ...PastAttempt.properties,
    started_at: Nullable(TimeInput),
    completed_at: Nullable(TimeInput),
  },
  { additionalProperties: false, description: 'A closed earlier attempt' },
)

export const ExperimentDraft = Type.Object(
  {
    ...definitionProperties,
    status: Type.Optional(Status),
    result_path: Type.Optional(Nullable(ResultPath)),
    started_at: Type.Optional(Nullable(TimeInput)),
    completed_at: Type.Optional(Nullable(TimeInput)),
    error: Type.Optional(Nullable(Type.String(), { description: 'What went wrong; of a long text the end is kept' })),
    retry_count: Type.Optional(CampaignManifestEntry.properties.retry_count),
    attempt: Type.Optional(Attempt),
    worker: Type.Optional(Nullable(Worker)),
    failure_kind: Type.Optional(Nullable(FailureKind)),
    attempts: Type.Optional(
      Type.Array(PastAttemptDraft, {
        maxItems: MAX_KEPT_ATTEMPTS,
        description: 'Closed earlier attempts, newest last',
      }),
    ),
    revision: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Read and not kept: revisions are ours',
      }),
    ),
    lease: Type.Optional(Nullable(Lease, { description: 'Read and not kept: a lease does not move' })),
  },
  {
    $id: 'ExperimentDraft',
    additionalProperties: false,
    description: 'An experiment as it is created: what defines it, and for an import how far it has come',
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

export const SettingsDraft = Type.Partial(Type.Object(settingsProperties), {
  additionalProperties: false,
  description: 'How the campaign is run; what is left out keeps its value or its default',
  examples: [{ max_retries: 2, lease_seconds: 120 }],
})

export const CampaignDraft = Type.Object(
  {
    campaign_id: Type.Optional(CampaignId),
    campaign_name: CampaignName,
    created_at: Type.Optional(TimeInput),
    updated_at: Type.Optional(TimeInput),
    config_hash: ConfigHash,
    total_experiments: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Refused when it disagrees with the length of the list',
        examples: [1],
      }),
    ),
    settings: Type.Optional(SettingsDraft),
    labels: Type.Optional(Labels),
    revision: Type.Optional(headerProperties.revision),
    uid: Type.Optional(headerProperties.uid),
    definition_digest: Type.Optional(headerProperties.definition_digest),
    experiments: Type.Array(ref(ExperimentDraft), {
      minItems: 1,
      maxItems: MAX_EXPERIMENTS,
      description: 'In the order in which they are to run',
    }),
  },
  {
    $id: 'CampaignDraft',
    additionalProperties: false,
    description:
      'A campaign to create: a name, a hash and experiments; or a whole manifest, ours or of the Python tool, to import. ' +
      'Of an imported one `created_at` is kept; `updated_at`, `revision`, `uid` and `definition_digest` are set anew.',
    examples: [
      {
        campaign_name: 'vllm smoke',
        config_hash: '122c4294b672',
        experiments: ExperimentDraft.examples as unknown[],
      },
    ],
  },
)

export type ExperimentDraft = Static<typeof ExperimentDraft>
export type CampaignDraft = Static<typeof CampaignDraft>
