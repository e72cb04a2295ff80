import { type Static, Type } from '@sinclair/typebox'
import { CampaignManifestEntry, definitionProperties, LeaseSeconds, Timestamp } from '../experiment/experiment.ts'
import { Nullable, StrictObject } from '../schema.ts'

const { exp_id, config_name, backend, container, cycle_index } = definitionProperties
const { worker, attempt, started_at } = CampaignManifestEntry.properties

export const RunningExperiment = StrictObject(
  {
    ...{ worker, exp_id, config_name, backend, container, cycle_index, attempt, started_at },
    lease_seconds: Nullable(LeaseSeconds, { description: 'Null: started without a lease, so it is never lost' }),
    lease_expires_at: Nullable(Timestamp, { description: 'When the lease expires without a heartbeat' }),
    seconds_since_heartbeat: Nullable(Type.Number({ minimum: 0 }), {
      description: 'Since the last heartbeat or report of the worker; null without a lease',
      examples: [4.2],
    }),
  },
  { $id: 'RunningExperiment', description: 'Who runs an experiment, since when, and when it was last seen' },
)

export type RunningExperiment = Static<typeof RunningExperiment>
