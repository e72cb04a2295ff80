import fc from 'fast-check'
import { anyChoice, chosen, idOf } from '../../arguments/arguments.js'
import { type Condition, ifNoneMatch } from '../../arguments/condition.js'
import type { PlainCampaign } from '../../campaign/campaign-model.js'
import { progressOf } from '../../campaign/progress-model.js'
import { Refused } from '../../campaign/refused.js'
import { manifestOf, NOT_FOUND, pathOf, problem, type Scene } from '../../scene.js'
import type { Choice } from '../../world.js'
import { command } from '../command.js'

const get = { campaign: anyChoice, ifNoneMatch }

export const getCampaign = command({
  name: 'get-campaign',
  weight: 20,
  arguments: fc.record(get),
  run: (scene, given) => read(scene, given, { path: '', view: manifestOf }),
})

export const getProgress = command({
  name: 'get-progress',
  weight: 30,
  arguments: fc.record(get),
  run: (scene, given) => read(scene, given, { path: '/progress', view: progressOf }),
})

export const getExperiment = command({
  name: 'get-experiment',
  weight: 30,
  arguments: fc.record({ ...get, experiment: anyChoice }),
  run: (scene, { experiment: choice, ...given }) => {
    const one = chosen(scene.world.experimentsOf(scene.world.choose(given.campaign)), choice)
    return read(scene, given, { path: `/experiments/${idOf(one)}`, experiment: idOf(one), view: () => one })
  },
})

interface Get {
  readonly campaign: Choice
  readonly ifNoneMatch: Condition
}

interface Read {
  readonly path: string
  readonly experiment?: string
  /** What the reply shows of the campaign; undefined when it has no such experiment. */
  readonly view: (campaign: PlainCampaign) => object | undefined
}

async function read(scene: Scene, given: Get, { path, experiment, view }: Read): Promise<void> {
  const { world } = scene
  const id = world.choose(given.campaign)
  const { header, holds } = given.ifNoneMatch(world, id, experiment)
  const headers = header === undefined ? {} : { headers: { 'if-none-match': header } }
  const call = { method: 'GET', path: `${pathOf(id)}${path}`, ...headers } as const
  const campaign = world.campaigns.get(id)
  const body = campaign === undefined ? undefined : view(campaign)
  if (body === undefined) {
    await scene.ask(call, problem(campaign === undefined ? NOT_FOUND : new Refused(404, 'experiment-not-found')))
    return
  }
  const tagOf = { campaign: id, experiment }
  await scene.ask(call, header !== undefined && holds ? { status: 304, tagOf } : { status: 200, body, tagOf })
}
