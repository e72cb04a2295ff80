import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import { anyCampaign, anyExperiment, chosen, flaw, type ExperimentChoice } from '../arguments/arguments.js'
import { revised, type Decided, type PlainCampaign } from '../campaign/campaign-model.js'
import type { CommandKind } from './command.js'
import { ifMatch, type Condition } from '../arguments/condition.js'
import { reported } from '../campaign/experiment-model.js'
import { Refused } from '../campaign/refused.js'
import { anyReport, reportOn, type ReportChoice } from '../arguments/report-arguments.js'
import type { CampaignChoice } from '../world.js'

interface Batch {
  readonly campaign: CampaignChoice
  readonly updates: readonly { readonly experiment: ExperimentChoice; readonly report: ReportChoice }[]
  readonly isAtomic: boolean
  readonly flaw: object | undefined
  readonly ifMatch: Condition
}

interface Update {
  readonly exp_id: string
  readonly meant: ExperimentReport
  readonly isFlawed: boolean
}

/** PATCH of many experiments, some of them twice and some not there. */
export const batch: CommandKind<Batch> = {
  name: 'batch',
  weight: 50,
  arguments: fc.record({
    campaign: anyCampaign,
    updates: fc.array(fc.record({ experiment: anyExperiment, report: anyReport }), { minLength: 1, maxLength: 5 }),
    isAtomic: fc.constantFrom(false, false, true),
    flaw: flaw(25, { updates: [] }, { updates: [{ status: 'running' }] }, { note: 1 }),
    ifMatch,
  }),
  run: (scene, { campaign, updates, isAtomic, flaw: wrong, ifMatch: match }) => {
    const id = scene.world.choose(campaign)
    const { experiments = [] } = scene.world.campaigns.get(id) ?? {}
    const all = updates.map(({ experiment, report }) => {
      const exp_id = chosen(experiments, experiment)
      return {
        exp_id,
        ...reportOn(
          experiments.find((one) => one.exp_id === exp_id),
          report,
        ),
      }
    })
    const body = { updates: all.map((one) => ({ exp_id: one.exp_id, ...one.body })), ...wrong }
    const path = isAtomic ? '/experiments?atomic=true' : '/experiments'
    const write = { campaign: id, method: 'PATCH', path, body, ifMatch: match, isFlawed: wrong !== undefined } as const
    return scene.write(write, (before) => {
      const decided = batched(before, all, scene.world.at(before))
      const refused = decided.results.filter(({ status }) => status !== 200).length
      const { results } = decided
      if (isAtomic && refused > 0) throw new Refused(409, 'batch-refused', { results })
      for (const { experiment, problem } of results) {
        if (experiment !== undefined) scene.world.renew(id, experiment)
        if (problem !== undefined) scene.count(`update ${problem.status} ${problem.code}`)
      }
      return { campaign: decided.campaign, status: 200, body: { results } }
    })
  },
}

/** Each update alone, on what those before it made, all under one revision. */
function batched(before: PlainCampaign, updates: readonly Update[], now: string) {
  const experiments = [...before.experiments]
  const results = updates.map(({ exp_id, meant, isFlawed }) => {
    const index = experiments.findIndex((one) => one.exp_id === exp_id)
    const one = experiments[index]
    try {
      if (isFlawed) throw new Refused(400, 'invalid')
      if (one === undefined) throw new Refused(404, 'experiment-not-found')
      const experiment = reported(one, meant, now, before.revision + 1)
      experiments[index] = experiment
      return { exp_id, status: 200, experiment }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      const status = error.status === 400 ? 422 : error.status
      return { exp_id, status, problem: { status, code: error.code, ...error.members } }
    }
  })
  const isSame = experiments.every((one: Experiment, index) => one === before.experiments[index])
  const campaign: Decided['campaign'] = isSame ? before : revised(before, now, { experiments })
  return { campaign, results }
}
