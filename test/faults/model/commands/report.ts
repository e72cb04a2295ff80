import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import { anyChoice, chosen, idOf } from '../arguments/arguments.js'
import { type Condition, ifMatch, noCondition } from '../arguments/condition.js'
import { anyReport, reportOn } from '../arguments/report-arguments.js'
import { momentOf, revised } from '../campaign/campaign-model.js'
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
    const after = reported(one, named, momentOf(before, now))
    const kind = kindOf(one, body, after)
    if (kind !== null) scene.count(kind)
    scene.world.renew(id, after)
    if (after === one) return { campaign: before, status: 200, body: one }
    const list = before.experiments.map((other) => (other === one ? after : other))
    return { campaign: revised(before, now, { experiments: list }), status: 200, body: after }
  })
}

/** What a report was of the rarer ones, to see that they come. */
function kindOf(before: Experiment, { status }: ExperimentReport, after: Experiment): string | null {
  const ends = after.status === 'completed' || after.failure_kind === 'error'
  if (before.failure_kind === 'lost' && ends) return 'a late finish'
  if (before.status === 'pending' && after.status === 'completed') {
    return after.attempt === before.attempt ? 'a late completion' : null
  }
  if (status !== 'failed' || after.status !== 'pending') return null
  return after === before ? 'a stop is told again' : 'a stop goes back to pending'
}
