import fc from 'fast-check'
import type { CampaignPatch } from '#campaignd/domain/operations/patch-campaign.js'
import { anyCampaign, flaw, given, sometimes } from '../arguments/arguments.js'
import { patched } from '../campaign/campaign-model.js'
import type { CommandKind } from './command.js'
import { ifMatch, type Condition } from '../arguments/condition.js'
import { manifestOf } from '../scene.js'
import type { CampaignChoice } from '../world.js'

interface Patch {
  readonly campaign: CampaignChoice
  readonly name: string | undefined
  readonly cancelsRunning: boolean | undefined
  readonly patch: Omit<CampaignPatch, 'campaign_name'>
  readonly flaw: object | undefined
  readonly ifMatch: Condition
}

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

export const patchCampaign: CommandKind<Patch> = {
  name: 'patch-campaign',
  weight: 30,
  arguments: fc.record({
    campaign: anyCampaign,
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
  run: (scene, { campaign, name, cancelsRunning, patch, flaw: wrong, ifMatch: match }) => {
    const { prefix } = scene.world
    const told: CampaignPatch = { ...patch, ...(name === undefined ? {} : { campaign_name: `${prefix} ${name}` }) }
    const meant: CampaignPatch =
      cancelsRunning === true ? { ...told, settings: { ...told.settings, cancel_running: true } } : told
    const id = scene.world.choose(campaign)
    const body = { ...told, ...wrong }
    const path = cancelsRunning === undefined ? '' : `?cancel_running=${String(cancelsRunning)}`
    const write = { campaign: id, method: 'PATCH', path, body, ifMatch: match, isFlawed: wrong !== undefined } as const
    return scene.write({ ...write, isTagged: true }, (before) => {
      const after = patched(before, meant, scene.world.at(before))
      return { campaign: after, status: 200, body: manifestOf(after) }
    })
  },
}
