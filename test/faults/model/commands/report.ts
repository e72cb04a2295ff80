import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import { anyChoice, chosen, idOf } from '../arguments/arguments.js'
import { type Condition, ifMatch, noCondition } from '../arguments/condition.js'
import { anyReport, type FenceChoice, fenceOf, reportOn } from '../arguments/report-arguments.js'
import { revised } from '../campaign/campaign-model.js'
import { reported } from '../campaign/experiment-model.js'
import { Refused } from '../campaign/refused.js'
import type { Scene } from '../scene.js'
import { command } from './command.js'

export const report = command({
  name: 'report',
  weight: 160,
  arguments: fc.record({ campaign: anyChoice, experiment: anyChoice, report: anyReport, ifMatch }),
  run: (scene, { campaign, experiment, report: choice, ifMatch: match }) => {
    const id = scene.world.choose(campaign)
    const one = chosen(scene.world.experimentsOf(id), experiment)
    return patchExperiment(scene, {
      id,
      expId: idOf(one),
      body: reportOn(scene.world, id, one, choice),
      flaw: choice.flaw,
      match,
    })
  },
})

/** PATCH of an experiment that was lost, where there is one: by its worker after all, or by another one. */
export const lateReport = command({
  name: 'late-report',
  weight: 30,
  arguments: fc.record({
    status: fc.constantFrom<('completed' | 'failed')[]>('completed', 'failed'),
    attempt: fc.constantFrom(0, 0, 0, -1),
    worker: fc.constantFrom<FenceChoice['worker'][]>('its own', 'its own', 'gpu-2', undefined),
  }),
  run: async (scene, { status, ...fence }) => {
    const { world } = scene
    const id = [...world.campaigns.keys()].find((key) => lostOf(world.experimentsOf(key)) !== undefined) ?? ''
    const one = lostOf(world.experimentsOf(id))
    if (one === undefined) return
    const body = { status, ...fenceOf(world, id, one, fence), result_path: 'results/late.json' }
    await patchExperiment(scene, { id, expId: one.exp_id, body })
  },
})

/** One that is lost; else one of which an earlier attempt was. */
function lostOf(experiments: readonly Experiment[]): Experiment | undefined {
  const was = ({ attempts }: Experiment) => attempts.at(-1)?.failure_kind === 'lost'
  return experiments.find(({ failure_kind }) => failure_kind === 'lost') ?? experiments.find(was)
}

interface Patch {
  readonly id: string
  readonly expId: string
  readonly body: ExperimentReport
  readonly flaw?: object | undefined
  readonly match?: Condition
}

export function patchExperiment(scene: Scene, { id, expId, body, flaw, match = noCondition }: Patch): Promise<void> {
  const resource = { campaign: id, experiment: expId, path: `/experiments/${expId}`, isTagged: true }
  return scene.write({ ...resource, method: 'PATCH', body, ifMatch: match, flaw }, (before) => {
    const one = before.experiments.find(({ exp_id }) => exp_id === expId)
    if (one === undefined) throw new Refused(404, 'experiment-not-found')
    const now = scene.world.at(before)
    const named = scene.world.runs.asAttempt(scene.world.lifeOf(id), one, body)
    const after = reported(one, named, now, before.revision + 1)
    if (one.failure_kind === 'lost' && (after.status === 'completed' || after.failure_kind === 'error')) {
      scene.count('a late finish')
    }
    scene.world.renew(id, after)
    if (after === one) return { campaign: before, status: 200, body: one }
    const list = before.experiments.map((other) => (other === one ? after : other))
    return { campaign: revised(before, now, { experiments: list }), status: 200, body: after }
  })
}
