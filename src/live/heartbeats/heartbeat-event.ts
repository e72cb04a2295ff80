import { Type } from '@sinclair/typebox'
import { CampaignManifestEntry, type Experiment } from '../../domain/experiment/experiment.ts'
import { type RunProgress, runProgressProperties } from '../../domain/experiment/run-progress.ts'
import { Described, StrictObject } from '../../domain/schema.ts'
import { EventFrame } from '../event-frame.ts'

const { exp_id, attempt, worker } = CampaignManifestEntry.properties
const { progress, note } = runProgressProperties

export const HeartbeatEvent = StrictObject(
  {
    experiments: Type.Array(
      StrictObject({
        exp_id,
        attempt: Described(attempt, 'The run that it is about: what an earlier one told holds no more'),
        worker,
        progress: Described(progress, 'How much of the run is done; null: nothing is known any more'),
        note: Described(note, 'What its worker says of the run; null: nothing'),
      }),
      { description: 'Those that run and whose progress or note changed' },
    ),
  },
  {
    $id: 'HeartbeatEvent',
    description: '`event: heartbeat` of a campaign: what heartbeats told of its runs in the last second',
  },
)

/** What is told of one run, as JSON. */
export function runJson({ exp_id, attempt, worker }: Experiment, { progress, note }: RunProgress): string {
  return JSON.stringify({ exp_id, attempt, worker, progress, note })
}

/** @param runs each as JSON */
export function heartbeatFrame(runs: readonly string[]): EventFrame {
  return new EventFrame('heartbeat', null, () => `{"experiments":[${runs.join(',')}]}`)
}
