import { Type, type Static } from '@sinclair/typebox'
import {
  Attempt,
  CampaignManifestEntry,
  definitionProperties,
  LeaseSeconds,
  Timestamp,
} from '../experiment/experiment.ts'
import { Nullable } from '../schema.ts'

const { exp_id, config_name, backend, container, cycle_index } = definitionProperties

export const RunningExperiment = Type.Object(
  {
    worker: CampaignManifestEntry.properties.worker,
    ...{ exp_id, config_name, backend, container, cycle_index },
    attempt: Attempt,
    started_at: CampaignManifestEntry.properties.started_at,
    lease_seconds: Nullable(LeaseSeconds, { description: 'Null: started without a lease, so it is never lost' }),
    lease_expires_at: Nullable(Timestamp, { description: 'When the lease runs out without a heartbeat' }),
    seconds_since_heartbeat: Nullable(Type.Number({ minimum: 0 }), {
      description: 'Since the worker was last heard of, by a heartbeat or a report; null without a lease',
      examples: [4.2],
    }),
  },
  {
    $id: 'RunningExperiment',
    additionalProperties: false,
    description: 'Who runs an experiment, since when, and when it was last heard of',
  },
)

export type RunningExperiment = Static<typeof RunningExperiment>
