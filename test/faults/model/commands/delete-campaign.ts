import fc from 'fast-check'
import { anyChoice } from '../arguments/arguments.js'
import { ifMatch } from '../arguments/condition.js'
import { Refused } from '../campaign/refused.js'
import { command } from './command.js'

export const deleteCampaign = command({
  name: 'delete-campaign',
  weight: 10,
  arguments: fc.record({
    campaign: anyChoice,
    path: fc.constantFrom('', '?force=false', '?force=true', '?force=maybe'),
    ifMatch,
  }),
  run: (scene, { campaign, ...rest }) => {
    const isForced = rest.path === '?force=true'
    const flaw = rest.path === '?force=maybe' ? {} : undefined
    return scene.write({ ...rest, campaign: scene.world.choose(campaign), method: 'DELETE', flaw }, (before) => {
      const isRunning = before.experiments.some(({ status }) => status === 'running')
      if (isRunning && !isForced) throw new Refused(409, 'campaign-running')
      return { campaign: null, status: 204 }
    })
  },
})
