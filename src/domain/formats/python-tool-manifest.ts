import { Type } from '@sinclair/typebox'
import type { Campaign } from '../campaign/campaign.ts'
import { CampaignId, CampaignName, ConfigHash } from '../campaign/manifest.ts'
import { definitionProperties, ResultPath, Status } from '../experiment/experiment.ts'
import { Nullable, StrictObject } from '../schema.ts'
import { formatNaiveTime } from '../timestamp.ts'
import { toolPieces } from './tool-pieces.ts'

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
    total_experiments: Type.Integer({ minimum: 0, description: 'Length of the list' }),
    experiments: Type.Array(StrictObject(entryProperties), { description: 'In the order in which they are run' }),
  },
  { $id: 'PythonToolManifest', description: 'A manifest as the Python tool llenergymeasure writes it' },
)

/**
 * The manifest as the Python tool writes it: its keys, naive times of the zone. A file that was imported and not changed is the same
 * byte for byte.
 */
export function pythonToolPieces({ header, experiments }: Campaign, timezone: string): Generator<string, void> {
  const naive = (time: string | null) => (time === null ? null : formatNaiveTime(time, timezone))
  const { experiments: _list, ...headerSchema } = PythonToolManifest.properties
  const { created_at, updated_at } = header
  const tool = { ...only(headerSchema, header), created_at: naive(created_at), updated_at: naive(updated_at) }
  return toolPieces(tool, experiments, (experiment) => ({
    ...only(entryProperties, experiment),
    started_at: naive(experiment.started_at),
    completed_at: naive(experiment.completed_at),
  }))
}

/** The properties that the schema has, in its order. */
function only<K extends string>(
  schema: Record<K, unknown>,
  object: Record<NoInfer<K>, unknown>,
): Record<string, unknown> {
  return Object.fromEntries((Object.keys(schema) as K[]).map((key) => [key, object[key]]))
}
