import fc from 'fast-check'
import type { CampaignPatch } from '#campaignd/domain/operations/patch-campaign.js'
import { anyChoice, flaw, given, sometimes } from '../arguments/arguments.js'
import { ifMatch } from '../arguments/condition.js'
import { patched } from '../campaign/campaign-model.js'
import { manifestOf } from '../scene.js'
import { command } from './command.js'

const settings = fc.constantFrom<NonNullable<CampaignPatch['settings']>[]>(
  {},
  { paused: true },
  { paused: false },
  { paused: false },
  { paused: false },
  { max_retries: 0 },
  { max_retries: 1 },
  { max_retries: 3, paused: false },
  { lease_seconds: 90 },
  { cancel_running: true },
  { paused: true, cancel_running: true },
  { paused: true, cancel_running: true },
  { paused: true, cancel_running: true },
  { cancel_running: false },
)

export const patchCampaign = command({
  name: 'patch-campaign',
  weight: 30,
  arguments: fc.record({
    campaign: anyChoice,
    name: sometimes(3, fc.constantFrom('sweep', 'renamed', 'Ablation 2')),
    cancelsRunning: sometimes(4, fc.constantFrom(true, true, false)),
    patch: fc
      .record({
        settings: sometimes(2, settings),
        labels: sometimes(2, fc.constantFrom({}, { team: null }, { team: 'inference' }, { draft: 'yes', team: null })),
      })
      .map(given),
    flaw: flaw(20, { campaign_name: '' }, { revision: 3 }, { settings: { paused: 'yes' } }, { labels: { team: 1 } }),
    ifMatch,
  }),
  run: (scene, { campaign, name, cancelsRunning, patch, ...rest }) => {
    const { world } = scene
    const body: CampaignPatch = {
      ...patch,
      ...given({ campaign_name: name === undefined ? name : `${world.prefix} ${name}` }),
    }
    const stops = cancelsRunning === true ? { settings: { ...body.settings, cancel_running: true } } : {}
    const path = cancelsRunning === undefined ? '' : `?cancel_running=${String(cancelsRunning)}`
    const call = { method: 'PATCH', path, body, isTagged: true } as const
    return scene.write({ ...rest, ...call, campaign: world.choose(campaign) }, (before) => {
      const after = patched(before, { ...body, ...stops }, world.at(before))
      return { campaign: after, status: 200, body: manifestOf(after) }
    })
  },
})
