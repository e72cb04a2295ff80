import { Type } from '@sinclair/typebox'
import { CampaignId, type CampaignManifest, CampaignName, ConfigHash } from '../campaign/manifest.ts'
import { definitionProperties, type Experiment, ResultPath, Status } from '../experiment/experiment.ts'
import { Nullable, StrictObject } from '../schema.ts'
import { formatNaiveTime } from '../timestamp.ts'

const NaiveTime = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:[0-5]\\d(\\.\\d{6})?$',
  description: 'Local time of `?timezone=`, without an offset',
  examples: ['2026-02-03T21:04:17.319159'],
})

const entryProperties = {
  ...definitionProperties,
  status: Status,
  result_path: Nullable(ResultPath),
  started_at: Nullable(NaiveTime),
  completed_at: Nullable(NaiveTime),
  error: Nullable(Type.String(), { description: 'What went wrong' }),
  retry_count: Type.Integer({ minimum: 0, description: 'Starts after the first' }),
}

export const PythonToolManifest = StrictObject(
  {
    campaign_id: CampaignId,
    campaign_name: CampaignName,
    created_at: NaiveTime,
    updated_at: NaiveTime,
    config_hash: ConfigHash,
    total_experiments: Type.Integer({ minimum: 1, description: 'Length of the list' }),
    experiments: Type.Array(StrictObject(entryProperties), {
      description: 'In the order in which they are run',
    }),
  },
  { $id: 'PythonToolManifest', description: 'A manifest as the Python tool llenergymeasure writes it' },
)

const ENTRY_KEYS = Object.keys(entryProperties) as (keyof typeof entryProperties)[]

/**
 * The manifest as the Python tool writes it: its keys, an indent of two, no line break at the end, naive times of the zone.
 * A file that was imported and not changed is the same byte for byte, except `updated_at`: pydantic's
 * `model_dump_json(indent=2)` formats and escapes as `JSON.stringify` does.
 */
export function encodeForPythonTool(manifest: CampaignManifest, timezone: string): string {
  const naive = (time: string | null) => (time === null ? null : formatNaiveTime(time, timezone))
  const entry = (experiment: Experiment) => ({
    ...Object.fromEntries(ENTRY_KEYS.map((key) => [key, experiment[key]])),
    started_at: naive(experiment.started_at),
    completed_at: naive(experiment.completed_at),
  })
  const { campaign_id, campaign_name, created_at, updated_at, config_hash, total_experiments } = manifest
  const tool = {
    campaign_id,
    campaign_name,
    created_at: naive(created_at),
    updated_at: naive(updated_at),
    config_hash,
    total_experiments,
    experiments: manifest.experiments.map(entry),
  }
  return JSON.stringify(tool, null, 2)
}
