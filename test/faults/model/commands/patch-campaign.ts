import fc from 'fast-check'
import type { CampaignPatch } from '#campaignd/domain/patch-campaign.js'
import { anyCampaign, flaw, given, sometimes } from '../arguments.js'
import { patched } from '../campaign-model.js'
import type { CommandKind } from '../command.js'
import { ifMatch, type Condition } from '../condition.js'
import { manifestOf } from '../scene.js'
import type { CampaignChoice } from '../world.js'

interface Patch {
  readonly campaign: CampaignChoice
  readonly name: string | undefined
  readonly patch: Omit<CampaignPatch, 'campaign_name'>
  readonly flaw: object | undefined
  readonly ifMatch: Condition
}

export const patchCampaign: CommandKind<Patch> = {
  name: 'patch-campaign',
  weight: 30,
  arguments: fc.record({
    campaign: anyCampaign,
    name: sometimes(3, fc.constantFrom('sweep', 'renamed', 'Ablation 2')),
    patch: fc
      .record({
        settings: sometimes(2, fc.constantFrom({}, { paused: true }, { paused: false }, { max_retries: 1 })),
        labels: sometimes(2, fc.constantFrom({}, { team: null }, { team: 'inference' }, { draft: 'yes', team: null })),
      })
      .map(given),
    flaw: flaw(20, { campaign_name: '' }, { revision: 3 }, { settings: { paused: 'yes' } }, { labels: { team: 1 } }),
    ifMatch,
  }),
  run: (scene, { campaign, name, patch, flaw: wrong, ifMatch: match }) => {
    const { prefix, now } = scene.world
    const meant: CampaignPatch = { ...patch, ...(name === undefined ? {} : { campaign_name: `${prefix} ${name}` }) }
    const id = scene.world.choose(campaign)
    const body = { ...meant, ...wrong }
    const write = { campaign: id, method: 'PATCH', body, ifMatch: match, isFlawed: wrong !== undefined } as const
    return scene.write({ ...write, isTagged: true }, (before) => {
      const after = patched(before, meant, now)
      return { campaign: after, status: 200, body: manifestOf(after) }
    })
  },
}
