import fc from 'fast-check'
import { anyCampaign, anyExperiment, chosen, type ExperimentChoice } from '../../arguments/arguments.js'
import type { PlainCampaign } from '../../campaign/campaign-model.js'
import type { CommandKind } from '../command.js'
import { ifNoneMatch, type Condition } from '../../arguments/condition.js'
import { progressOf } from '../../campaign/progress-model.js'
import { Refused } from '../../campaign/refused.js'
import { manifestOf, NOT_FOUND, pathOf, problem, type Scene } from '../../scene.js'
import type { CampaignChoice } from '../../world.js'

interface Get {
  readonly campaign: CampaignChoice
  readonly ifNoneMatch: Condition
}

interface GetExperiment extends Get {
  readonly experiment: ExperimentChoice
}

const get = { campaign: anyCampaign, ifNoneMatch }

export const getCampaign: CommandKind<Get> = {
  name: 'get-campaign',
  weight: 20,
  arguments: fc.record(get),
  run: (scene, given) => read(scene, given, { path: '', tell: manifestOf }),
}

export const getProgress: CommandKind<Get> = {
  name: 'get-progress',
  weight: 30,
  arguments: fc.record(get),
  run: (scene, given) => read(scene, given, { path: '/progress', tell: progressOf }),
}

export const getExperiment: CommandKind<GetExperiment> = {
  name: 'get-experiment',
  weight: 30,
  arguments: fc.record({ ...get, experiment: anyExperiment }),
  run: (scene, { experiment: choice, ...given }) => {
    const { experiments = [] } = scene.world.campaigns.get(scene.world.choose(given.campaign)) ?? {}
    const experiment = chosen(experiments, choice)
    const tell = () => experiments.find(({ exp_id }) => exp_id === experiment)
    return read(scene, given, { path: `/experiments/${experiment}`, experiment, tell })
  },
}

interface Read {
  readonly path: string
  readonly experiment?: string
  /** What is told of the campaign; undefined when it has no such experiment. */
  readonly tell: (campaign: PlainCampaign) => object | undefined
}

/** Reads what is told of a campaign, or learns that it is as it was known. */
async function read(scene: Scene, given: Get, { path, experiment, tell }: Read): Promise<void> {
  const { world } = scene
  const id = world.choose(given.campaign)
  const { header, holds } = given.ifNoneMatch(world, id, experiment)
  const headers = header === undefined ? {} : { headers: { 'if-none-match': header } }
  const call = { method: 'GET', path: `${pathOf(id)}${path}`, ...headers } as const
  const campaign = world.campaigns.get(id)
  const body = campaign === undefined ? undefined : tell(campaign)
  if (body === undefined) {
    await scene.ask(call, problem(campaign === undefined ? NOT_FOUND : new Refused(404, 'experiment-not-found')))
    return
  }
  const tagOf = { campaign: id, ...(experiment === undefined ? {} : { experiment }) }
  await scene.ask(call, header !== undefined && holds ? { status: 304, tagOf } : { status: 200, body, tagOf })
}
