import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { Heartbeat } from '#campaignd/domain/operations/heartbeat.js'
import { anyCampaign, anyExperiment, chosen, flaw, given, type ExperimentChoice } from '../arguments/arguments.js'
import type { Decided, PlainCampaign } from '../campaign/campaign-model.js'
import type { CommandKind } from './command.js'
import { noCondition } from '../arguments/condition.js'
import { Refused } from '../campaign/refused.js'
import type { Scene } from '../scene.js'
import type { CampaignChoice } from '../world.js'

interface Beat {
  readonly campaign: CampaignChoice
  readonly experiment: ExperimentChoice
  /** Beside the current one. */
  readonly attempt: number
  readonly worker: 'its own' | 'gpu-1' | 'gpu-2' | undefined
  readonly flaw: object | undefined
}

/** POST of a heartbeat: by the worker that runs the experiment, and by those that do not, or not any more. */
export const heartbeat: CommandKind<Beat> = {
  name: 'heartbeat',
  weight: 80,
  arguments: fc.record({
    campaign: anyCampaign,
    experiment: anyExperiment,
    attempt: fc.constantFrom(0, 0, 0, 0, -1, 1),
    worker: fc.constantFrom<Beat['worker'][]>(undefined, 'its own', 'its own', 'gpu-1', 'gpu-2'),
    flaw: flaw(25, { attempt: '1' }, { worker: '' }, { progress: 1 }),
  }),
  run: (scene, { campaign, experiment, flaw: wrong, ...beat }) => {
    const { campaigns } = scene.world
    // Any one of all is seldom under a lease.
    const withLease = [...campaigns.values()].find((one) => leasedOf(one).length > 0)
    const id = (campaign.nth === 0 && !campaign.isGone ? withLease?.campaign_id : null) ?? scene.world.choose(campaign)
    const known = campaigns.get(id)
    const experiments = known?.experiments ?? []
    const leased = known === undefined ? [] : leasedOf(known)
    const expId = chosen(leased.length > 0 ? leased : experiments, experiment)
    const one = experiments.find(({ exp_id }) => exp_id === expId)
    const worker = beat.worker === 'its own' ? (one?.worker ?? undefined) : beat.worker
    const attempt = Math.max(0, (one?.attempt ?? 0) + beat.attempt)
    const meant: Heartbeat = { attempt, ...given({ worker }) }
    const call = { method: 'POST', path: `/experiments/${expId}/heartbeat`, body: { ...meant, ...wrong } } as const
    const write = { campaign: id, ...call, ifMatch: noCondition, isFlawed: wrong !== undefined }
    return scene.write(write, (before) => renewed(scene, before, expId, meant))
  },
}

function leasedOf({ experiments }: PlainCampaign): Experiment[] {
  return experiments.filter(({ lease }) => lease !== null)
}

/** @throws Refused for any but the worker of a live lease */
function renewed(scene: Scene, campaign: PlainCampaign, expId: string, { attempt, worker }: Heartbeat): Decided {
  const { campaign_id: id, experiments, settings } = campaign
  const experiment = experiments.find(({ exp_id }) => exp_id === expId)
  if (experiment === undefined) throw new Refused(404, 'experiment-not-found')
  if (experiment.status === 'pending' || experiment.attempt !== attempt) {
    throw new Refused(409, 'stale-attempt', { experiment })
  }
  const isStranger = worker !== undefined && experiment.worker !== null && worker !== experiment.worker
  if (isStranger) throw new Refused(409, 'not-the-owner', { experiment })
  if (experiment.lease === null) throw new Refused(409, 'no-lease', { experiment })
  scene.world.renew(id, experiment)
  const cancel = settings.paused && settings.cancel_running === true
  if (cancel) scene.count('cancel')
  const lease = { lease_seconds: experiment.lease.seconds, lease_expires_at: scene.world.leaseEndOf(id, experiment) }
  return { campaign, status: 200, body: { ...lease, cancel } }
}
