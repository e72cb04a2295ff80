import type { Static } from '@sinclair/typebox'
import { CampaignManifestEntry, type Experiment } from '../experiment/experiment.ts'
import { currentRunId, RunId } from '../experiment/run-id.ts'
import { Nullable, StrictObject } from '../schema.ts'

export const ExperimentWithRun = StrictObject(
  {
    ...CampaignManifestEntry.properties,
    run_id: Nullable(RunId, {
      description:
        'Names its current run: send it with reports and heartbeats. Null while it is pending or was never started',
    }),
  },
  { $id: 'ExperimentWithRun', description: 'One experiment of a campaign, and the name of its current run' },
)

export type ExperimentWithRun = Static<typeof ExperimentWithRun>

/** @param uid of the campaign */
export function withRun(experiment: Experiment, uid: string): ExperimentWithRun {
  return { ...experiment, run_id: currentRunId(uid, experiment) }
}

/** The same as JSON. @param json of the experiment, encoded already */
export function withRunJson(json: string, experiment: Experiment, uid: string): string {
  return `${json.slice(0, -1)},"run_id":${JSON.stringify(currentRunId(uid, experiment))}}`
}
