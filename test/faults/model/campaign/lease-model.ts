import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { counted } from './budget-model.js'
import { type PlainCampaign, revised } from './campaign-model.js'
import { requeued } from './experiment-model.js'

/**
 * The campaign once all that ran out is given up, in one revision; the very same when nothing did.
 * @param idleFor milliseconds since the worker of an experiment was last seen
 */
export function swept(campaign: PlainCampaign, idleFor: (one: Experiment) => number, now: string): PlainCampaign {
  const revision = campaign.revision + 1
  const experiments = campaign.experiments.map((one) => {
    const idle = idleFor(one) / 1000
    if (one.lease === null || idle <= one.lease.seconds) return one
    const ended = lost(one, idle, now)
    // A worker that was told to stop and is heard of no more has stopped.
    const after = campaign.cancel_running ? requeued(ended, now, 'pause') : counted(ended)
    return { ...after, revision }
  })
  const isSame = experiments.every((one, index) => one === campaign.experiments[index])
  return isSame ? campaign : revised(campaign, now, { experiments })
}

/** What an error of a lost attempt must name, read from its words. */
export function lostError(worker: string | null, idle: number, seconds: number): string {
  return `lost: ${worker ?? 'no worker'}, ${Math.round(idle)} s, ${seconds} s`
}

function lost(one: Experiment, idle: number, now: string): Experiment {
  const error = lostError(one.worker, idle, one.lease?.seconds ?? 0)
  return { ...one, status: 'failed', failure_kind: 'lost', error, completed_at: now, lease: null, actor: null }
}
