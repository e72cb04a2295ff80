import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import { anyChoice, chosen, flaw, idOf } from '../arguments/arguments.js'
import { ifMatch } from '../arguments/condition.js'
import { anyReport, reportOn } from '../arguments/report-arguments.js'
import { momentOf, type PlainCampaign, revised } from '../campaign/campaign-model.js'
import { reported } from '../campaign/experiment-model.js'
import { Refused } from '../campaign/refused.js'
import type { World } from '../world.js'
import { command } from './command.js'

export interface Update {
  readonly exp_id: string
  readonly meant: ExperimentReport
  readonly flaw: object | undefined
}

/** PATCH of many experiments, some of them twice and some not there. */
export const batch = command({
  name: 'batch',
  weight: 50,
  arguments: fc.record({
    campaign: anyChoice,
    updates: fc.array(fc.record({ experiment: anyChoice, report: anyReport }), { minLength: 1, maxLength: 5 }),
    isAtomic: fc.constantFrom(false, false, true),
    flaw: flaw(25, { updates: [] }, { updates: [{ status: 'running' }] }, { note: 1 }),
    ifMatch,
  }),
  run: (scene, { campaign, updates, isAtomic, ...rest }) => {
    const id = scene.world.choose(campaign)
    const all = updates.map(({ experiment, report }): Update => {
      const one = chosen(scene.world.experimentsOf(id), experiment)
      return { exp_id: idOf(one), meant: reportOn(scene.world, id, one, report), flaw: report.flaw }
    })
    const body = { updates: all.map((one) => ({ exp_id: one.exp_id, ...one.meant, ...one.flaw })) }
    const path = isAtomic ? '/experiments?atomic=true' : '/experiments'
    return scene.write({ ...rest, campaign: id, method: 'PATCH', path, body }, (before) => {
      const named = all.map((update) => ({ ...update, meant: asAttempt(scene.world, before, update) }))
      const decided = batched(before, named, scene.world.at(before))
      const { results } = decided
      if (isAtomic && results.some(({ status }) => status !== 200)) throw new Refused(409, 'batch-refused', { results })
      for (const { experiment, problem } of results) {
        if (experiment !== undefined) scene.world.renew(id, experiment)
        if (problem !== undefined) scene.count(`update ${problem.status} ${problem.code}`)
      }
      return { campaign: decided.campaign, status: 200, body: { results } }
    })
  },
})

export function asAttempt(
  world: World,
  { campaign_id, experiments }: PlainCampaign,
  { exp_id, meant }: Update,
): ExperimentReport {
  const one = experiments.find((experiment) => experiment.exp_id === exp_id)
  return world.runs.asAttempt(world.lifeOf(campaign_id), one, meant)
}

/** Each update alone, on what those before it made, all under one revision. */
export function batched(
  before: PlainCampaign,
  updates: readonly Update[],
  now: string,
  untouched: readonly Experiment[] = [],
) {
  const experiments = [...before.experiments]
  const results = updates.map(({ exp_id, meant, flaw: wrong }) => {
    const index = experiments.findIndex((one) => one.exp_id === exp_id)
    const one = experiments[index]
    try {
      if (wrong !== undefined) throw new Refused(400, 'invalid')
      const held = untouched.find((other) => other.exp_id === exp_id)
      if (held !== undefined) return { exp_id, status: 200, experiment: held }
      if (one === undefined) throw new Refused(404, 'experiment-not-found')
      const experiment = reported(one, meant, momentOf(before, now))
      experiments[index] = experiment
      return { exp_id, status: 200, experiment }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      const status = error.status === 400 ? 422 : error.status
      return { exp_id, status, problem: { status, code: error.code, ...error.members } }
    }
  })
  const isSame = experiments.every((one, index) => one === before.experiments[index])
  return { campaign: isSame ? before : revised(before, now, { experiments }), results }
}
