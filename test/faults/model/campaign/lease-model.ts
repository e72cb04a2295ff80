import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { type PlainCampaign, revised } from './campaign-model.js'

/**
 * The campaign once all that ran out is given up, in one revision; the very same when nothing did.
 * @param idleFor milliseconds since the worker of an experiment was last seen
 */
export function swept(campaign: PlainCampaign, idleFor: (one: Experiment) => number, now: string): PlainCampaign {
  const revision = campaign.revision + 1
  const experiments = campaign.experiments.map((one) => {
    const idle = idleFor(one) / 1000
    return one.lease !== null && idle > one.lease.seconds ? { ...lost(one, idle, now), revision } : one
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
  return { ...one, status: 'failed', failure_kind: 'lost', error, completed_at: now, lease: null }
}
