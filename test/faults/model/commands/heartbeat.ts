import fc from 'fast-check'
import type { RunProgress } from '#campaignd/domain/experiment/run-progress.js'
import type { Heartbeat } from '#campaignd/domain/operations/heartbeat.js'
import { anyChoice, chosen, flaw, given, idOf, sometimes } from '../arguments/arguments.js'
import { noCondition } from '../arguments/condition.js'
import { anyRun, type FenceChoice, fenceOf } from '../arguments/report-arguments.js'
import type { Decided, PlainCampaign } from '../campaign/campaign-model.js'
import { Refused } from '../campaign/refused.js'
import type { Scene } from '../scene.js'
import { command } from './command.js'
import { readWorkers } from './reads/list-workers.js'

/** POST of a heartbeat: by the worker that runs the experiment, and by those that do not, or not any more. */
export const heartbeat = command({
  name: 'heartbeat',
  weight: 80,
  arguments: fc.record({
    campaign: anyChoice,
    experiment: anyChoice,
    run: anyRun,
    attempt: sometimes(2, fc.constantFrom(0, 0, 0, 0, -1, 1)),
    worker: fc.constantFrom<FenceChoice['worker'][]>(undefined, 'its own', 'its own', 'gpu-1', 'gpu-2'),
    news: fc
      .record({
        progress: sometimes(2, fc.constantFrom(0, 0.4, 1, null)),
        note: sometimes(2, fc.constantFrom('epoch 2', 'n'.repeat(200), null)),
      })
      .map((news): Partial<RunProgress> => given(news)),
    flaw: flaw(
      25,
      ...[{ attempt: '1' }, { worker: '' }, { status: 'running' }],
      ...[{ progress: 1.01 }, { progress: '1' }, { note: 'n'.repeat(201) }],
    ),
  }),
  run: async (scene, { campaign, experiment, news, flaw: wrong, ...fence }) => {
    const { world } = scene
    // Any one of all is seldom under a lease.
    const withLease = [...world.campaigns.keys()].find((id) => leasedIn(scene, id).length > 0)
    const id = (campaign.nth === 0 && !campaign.isAbsent ? withLease : undefined) ?? world.choose(campaign)
    const leased = leasedIn(scene, id)
    const one = chosen(leased.length > 0 ? leased : world.experimentsOf(id), experiment)
    const body: Heartbeat = { ...fenceOf(world, id, one, fence), ...news }
    const call = { method: 'POST', path: `/experiments/${idOf(one)}/heartbeat`, body } as const
    const namesNoRun = body.run_id === undefined && body.attempt === undefined
    const refused = wrong ?? (namesNoRun ? {} : undefined)
    await scene.write({ ...call, campaign: id, ifMatch: noCondition, flaw: refused }, (before) =>
      renewed(scene, before, idOf(one), body, news),
    )
    // What was told is nowhere else, and soon forgotten.
    await readWorkers(scene, id)
  },
})

function leasedIn({ world }: Scene, id: string) {
  return world.experimentsOf(id).filter(({ lease }) => lease !== null)
}

/** @throws Refused for any but the worker of a live lease */
function renewed(
  scene: Scene,
  campaign: PlainCampaign,
  expId: string,
  beat: Heartbeat,
  news: Partial<RunProgress>,
): Decided {
  const { campaign_id: id, experiments, cancel_running: cancel } = campaign
  const experiment = experiments.find(({ exp_id }) => exp_id === expId)
  if (experiment === undefined) throw new Refused(404, 'experiment-not-found')
  const { attempt, worker } = scene.world.runs.asAttempt(scene.world.lifeOf(id), experiment, beat)
  if (experiment.status === 'pending' || experiment.attempt !== attempt) {
    throw new Refused(409, 'stale-attempt', { experiment })
  }
  const isOther = worker !== undefined && experiment.worker !== null && worker !== experiment.worker
  if (isOther) throw new Refused(409, 'not-the-owner', { experiment })
  if (experiment.lease === null) throw new Refused(409, 'no-lease', { experiment })
  scene.world.renew(id, experiment)
  scene.world.tell(id, experiment, news)
  if (cancel) scene.count('cancel')
  const lease = { lease_seconds: experiment.lease.seconds, lease_expires_at: scene.world.leaseEndOf(id, experiment) }
  return { campaign, status: 200, body: { ...lease, cancel } }
}
