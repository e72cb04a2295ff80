import fc from 'fast-check'
import { anyCampaign } from '../arguments/arguments.js'
import type { CommandKind } from './command.js'
import { ifMatch, type Condition } from '../arguments/condition.js'
import { Refused } from '../campaign/refused.js'
import type { CampaignChoice } from '../world.js'

interface Delete {
  readonly campaign: CampaignChoice
  readonly query: string
  readonly ifMatch: Condition
}

export const deleteCampaign: CommandKind<Delete> = {
  name: 'delete-campaign',
  weight: 10,
  arguments: fc.record({
    campaign: anyCampaign,
    query: fc.constantFrom('', '?force=false', '?force=true', '?force=maybe'),
    ifMatch,
  }),
  run: (scene, { campaign, query, ifMatch: match }) => {
    const id = scene.world.choose(campaign)
    const isFlawed = query === '?force=maybe'
    return scene.write({ campaign: id, method: 'DELETE', path: query, ifMatch: match, isFlawed }, (before) => {
      const isRunning = before.experiments.some(({ status }) => status === 'running')
      if (isRunning && query !== '?force=true') throw new Refused(409, 'campaign-running')
      return { campaign: null, status: 204 }
    })
  },
}
