import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import { anyCampaign, anyExperiment, chosen, given, type ExperimentChoice } from '../arguments/arguments.js'
import { revised } from '../campaign/campaign-model.js'
import type { CommandKind } from './command.js'
import { ifMatch, noCondition, type Condition } from '../arguments/condition.js'
import { reported } from '../campaign/experiment-model.js'
import { Refused } from '../campaign/refused.js'
import { anyReport, reportOn, type ReportChoice } from '../arguments/report-arguments.js'
import type { Scene } from '../scene.js'
import type { CampaignChoice } from '../world.js'

interface Report {
  readonly campaign: CampaignChoice
  readonly experiment: ExperimentChoice
  readonly report: ReportChoice
  readonly ifMatch: Condition
}

interface LateReport {
  readonly status: Extract<Experiment['status'], 'completed' | 'failed'>
  /** Beside the current one. */
  readonly attempt: number
  readonly worker: 'its own' | 'gpu-2' | undefined
}

/** PATCH of one experiment. */
export const report: CommandKind<Report> = {
  name: 'report',
  weight: 160,
  arguments: fc.record({ campaign: anyCampaign, experiment: anyExperiment, report: anyReport, ifMatch }),
  run: (scene, { campaign, experiment, report: choice, ifMatch: match }) => {
    const id = scene.world.choose(campaign)
    const { experiments = [] } = scene.world.campaigns.get(id) ?? {}
    const expId = chosen(experiments, experiment)
    const { meant, body, isFlawed } = reportOn(
      experiments.find((one) => one.exp_id === expId),
      choice,
    )
    return patchExperiment(scene, { id, expId, meant, body, isFlawed, match })
  },
}

/** PATCH of an experiment that was lost, where there is one: by its worker after all, or by another one. */
export const lateReport: CommandKind<LateReport> = {
  name: 'late-report',
  weight: 30,
  arguments: fc.record({
    status: fc.constantFrom<LateReport['status'][]>('completed', 'failed'),
    attempt: fc.constantFrom(0, 0, 0, -1),
    worker: fc.constantFrom<LateReport['worker'][]>('its own', 'its own', 'gpu-2', undefined),
  }),
  run: (scene, { status, ...from }) => {
    const { world } = scene
    const id = [...world.campaigns.values()].find(({ experiments }) => lostOf(experiments) !== undefined)?.campaign_id
    const one = lostOf(world.campaigns.get(id ?? '')?.experiments ?? [])
    if (id === undefined || one === undefined) return Promise.resolve()
    const expId = one.exp_id
    const attempt = Math.max(0, one.attempt + from.attempt)
    const worker = from.worker === 'its own' ? (one.worker ?? undefined) : from.worker
    const meant = { status, attempt, ...given({ worker }), result_path: 'results/late.json' } as const
    return patchExperiment(scene, { id, expId, meant, body: meant, isFlawed: false, match: noCondition })
  },
}

/** One that is lost; else one of which an earlier attempt was. */
function lostOf(experiments: readonly Experiment[]): Experiment | undefined {
  const was = ({ attempts }: Experiment) => attempts.at(-1)?.failure_kind === 'lost'
  return experiments.find(({ failure_kind }) => failure_kind === 'lost') ?? experiments.find(was)
}

interface Patch {
  readonly id: string
  readonly expId: string
  readonly meant: ExperimentReport
  readonly body: object
  readonly isFlawed: boolean
  readonly match: Condition
}

/** Reports on an experiment, and holds what comes of it against the model. */
export function patchExperiment(scene: Scene, { id, expId, meant, body, isFlawed, match }: Patch): Promise<void> {
  const resource = { campaign: id, experiment: expId, path: `/experiments/${expId}` }
  const write = { ...resource, method: 'PATCH', body, ifMatch: match, isFlawed, isTagged: true } as const
  return scene.write(write, (before) => {
    const one = before.experiments.find(({ exp_id }) => exp_id === expId)
    if (one === undefined) throw new Refused(404, 'experiment-not-found')
    const now = scene.world.at(before)
    const after = reported(one, meant, now, before.revision + 1)
    if (one.failure_kind === 'lost' && (after.status === 'completed' || after.failure_kind === 'error')) {
      scene.count('a late finish')
    }
    scene.world.renew(id, after)
    if (after === one) return { campaign: before, status: 200, body: one }
    const list = before.experiments.map((other) => (other === one ? after : other))
    return { campaign: revised(before, now, { experiments: list }), status: 200, body: after }
  })
}
