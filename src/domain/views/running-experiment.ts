import { type Static, Type } from '@sinclair/typebox'
import { CampaignManifestEntry, definitionProperties, LeaseSeconds, Timestamp } from '../experiment/experiment.ts'
import { runProgressProperties } from '../experiment/run-progress.ts'
import { Described, Nullable, StrictObject } from '../schema.ts'

const { exp_id, config_name, backend, container, cycle_index } = definitionProperties
const { worker, attempt, started_at } = CampaignManifestEntry.properties
const { progress, note } = runProgressProperties

export const RunningExperiment = StrictObject(
  {
    ...{ worker, exp_id, config_name, backend, container, cycle_index, attempt, started_at },
    lease_seconds: Nullable(LeaseSeconds, { description: 'Null: started without a lease, so it is never lost' }),
    lease_expires_at: Nullable(Timestamp, { description: 'When the lease expires without a heartbeat' }),
    seconds_since_heartbeat: Nullable(Type.Number({ minimum: 0 }), {
      description: 'Since the last heartbeat or report of the worker; null without a lease',
      examples: [4.2],
    }),
    progress: Described(progress, 'How much of the run is done, as a heartbeat told last; null: none did'),
    note: Described(note, 'What a heartbeat told last of the run; null: none did'),
  },
  {
    $id: 'RunningExperiment',
    description: 'Who runs an experiment, since when, when it was last seen, and what it said then',
  },
)

export type RunningExperiment = Static<typeof RunningExperiment>
