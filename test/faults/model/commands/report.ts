import fc from 'fast-check'
import { anyCampaign, anyExperiment, chosen, type ExperimentChoice } from '../arguments.js'
import { revised } from '../campaign-model.js'
import type { CommandKind } from '../command.js'
import { ifMatch, type Condition } from '../condition.js'
import { reported } from '../experiment-model.js'
import { Refused } from '../refused.js'
import { anyReport, reportOn, type ReportChoice } from '../report-arguments.js'
import type { CampaignChoice } from '../world.js'

interface Report {
  readonly campaign: CampaignChoice
  readonly experiment: ExperimentChoice
  readonly report: ReportChoice
  readonly ifMatch: Condition
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
    const resource = { campaign: id, experiment: expId, path: `/experiments/${expId}` }
    const write = { ...resource, method: 'PATCH', body, ifMatch: match, isFlawed, isTagged: true } as const
    return scene.write(write, (before) => {
      const one = before.experiments.find(({ exp_id }) => exp_id === expId)
      if (one === undefined) throw new Refused(404, 'experiment-not-found')
      const { now } = scene.world
      const after = reported(one, meant, now, before.revision + 1)
      if (after === one) return { campaign: before, status: 200, body: one }
      const list = before.experiments.map((other) => (other === one ? after : other))
      return { campaign: revised(before, now, { experiments: list }), status: 200, body: after }
    })
  },
}
