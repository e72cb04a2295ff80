import { type Static, Type } from '@sinclair/typebox'
import { headerProperties, settingsProperties } from '../campaign/manifest.ts'
import {
  CampaignManifestEntry,
  definitionProperties,
  MAX_KEPT_ATTEMPTS,
  PastAttempt,
  TimeInput,
} from '../experiment/experiment.ts'
import { RunId } from '../experiment/run-id.ts'
import { Described, FreeText, Nullable, ref, SafeInteger, StrictObject } from '../schema.ts'

/** The highest limit of the experiments of a campaign that can be set. */
export const MAX_EXPERIMENTS = 1_000_000

const PastAttemptDraft = StrictObject(
  { ...PastAttempt.properties, started_at: Nullable(TimeInput), completed_at: Nullable(TimeInput) },
  { description: 'A closed earlier attempt' },
)

const { lease, ...entry } = CampaignManifestEntry.properties

export const ExperimentDraft = StrictObject(
  {
    ...definitionProperties,
    status: Type.Optional(entry.status),
    result_path: Type.Optional(entry.result_path),
    started_at: Type.Optional(Nullable(TimeInput)),
    completed_at: Type.Optional(Nullable(TimeInput)),
    error: Type.Optional(Nullable(FreeText(), { description: 'What went wrong; of a long text the end is kept' })),
    retry_count: Type.Optional(entry.retry_count),
    attempt: Type.Optional(entry.attempt),
    worker: Type.Optional(entry.worker),
    failure_kind: Type.Optional(entry.failure_kind),
    attempts: Type.Optional(
      Type.Array(PastAttemptDraft, {
        maxItems: MAX_KEPT_ATTEMPTS,
        description: 'Closed earlier attempts, newest last',
      }),
    ),
    revision: Type.Optional(SafeInteger(1, { description: 'Ignored: the service assigns revisions' })),
    lease: Type.Optional(Described(lease, 'Ignored: a lease is not imported')),
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

export const CampaignDraft = StrictObject(
  {
    campaign_id: Type.Optional(headerProperties.campaign_id),
    campaign_name: headerProperties.campaign_name,
    created_at: Type.Optional(TimeInput),
    updated_at: Type.Optional(TimeInput),
    config_hash: headerProperties.config_hash,
    total_experiments: Type.Optional(
      SafeInteger(0, { description: 'Refused unless it equals the length of the list', examples: [1] }),
    ),
    settings: Type.Optional(SettingsDraft),
    labels: Type.Optional(headerProperties.labels),
    revision: Type.Optional(headerProperties.revision),
    uid: Type.Optional(headerProperties.uid),
    definition_digest: Type.Optional(headerProperties.definition_digest),
    experiments: Type.Array(ref(ExperimentDraft), {
      minItems: 1,
      maxItems: MAX_EXPERIMENTS,
      description: 'In the order in which they are run',
    }),
  },
  {
    $id: 'CampaignDraft',
    description:
      'A campaign to create: a name, a hash and experiments; or a whole manifest, of campaignd or the Python tool, to ' +
      'import. Of an import `created_at` is kept; `updated_at`, `revision`, `uid` and `definition_digest` are set anew.',
    examples: [
      { campaign_name: 'vllm smoke', config_hash: '122c4294b672', experiments: ExperimentDraft.examples as unknown[] },
    ],
  },
)

export type ExperimentDraft = Static<typeof ExperimentDraft>
export type CampaignDraft = Static<typeof CampaignDraft>
