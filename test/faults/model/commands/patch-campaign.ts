import fc from 'fast-check'
import type { CampaignPatch } from '#campaignd/domain/operations/patch-campaign.js'
import { anyChoice, flaw, given, sometimes } from '../arguments/arguments.js'
import { type Condition, ifMatch, noCondition } from '../arguments/condition.js'
import { type PatchCall, patched } from '../campaign/campaign-model.js'
import { manifestOf, type Scene } from '../scene.js'
import { command } from './command.js'

const settings: fc.Arbitrary<NonNullable<CampaignPatch['settings']>> = fc.constantFrom(
  {},
  { paused: true },
  { paused: false },
  { paused: false },
  { paused: false },
  { max_retries: 0 },
  { max_retries: 1 },
  { max_retries: 3, paused: false },
  { lease_seconds: 90 },
  { max_losses: 0 },
  { max_losses: 1, priority: 7 },
  { max_losses: 3, worker_failure_limit: 0 },
  { worker_failure_limit: 1 },
  { worker_failure_limit: 2, max_retries: 3 },
)

/** What is said to those that run. */
type Stop = 'says nothing' | 'stops' | 'pauses and stops' | 'goes on'

const FLAWS = [
  ...[{ campaign_name: '' }, { revision: 3 }, { settings: { paused: 'yes' } }, { labels: { team: 1 } }],
  ...[{ cancel_running: true }, { settings: { cancel_running: true } }, { archived: null }],
]

export const patchCampaign = command({
  name: 'patch-campaign',
  weight: 30,
  arguments: fc.record({
    campaign: anyChoice,
    name: sometimes(3, fc.constantFrom('sweep', 'renamed', 'Ablation 2')),
    stop: fc.constantFrom<Stop[]>(
      ...Array<Stop>(6).fill('says nothing'),
      'stops',
      'stops',
      'pauses and stops',
      'goes on',
    ),
    patch: fc
      .record({
        settings: sometimes(2, settings),
        archived: sometimes(5, fc.boolean()),
        labels: sometimes(2, fc.constantFrom({}, { team: null }, { team: 'inference' }, { draft: 'yes', team: null })),
      })
      .map(given),
    flaw: flaw(20, ...FLAWS),
    ifMatch,
  }),
  run: (scene, { campaign, name, stop, patch, ...rest }) => {
    const { world } = scene
    const body: CampaignPatch = {
      ...patch,
      ...given({ campaign_name: name === undefined ? name : `${world.prefix} ${name}` }),
      ...(stop === 'pauses and stops' ? { settings: { ...patch.settings, paused: true } } : {}),
    }
    const cancels = stop === 'says nothing' ? undefined : stop !== 'goes on'
    return sendPatch(scene, { ...rest, id: world.choose(campaign), patch: body, cancels })
  },
})

interface Sent extends PatchCall {
  readonly id: string
  readonly flaw?: object | undefined
  readonly ifMatch?: Condition
}

export function sendPatch(
  scene: Scene,
  { id, patch, cancels, ifMatch: match = noCondition, flaw: wrong }: Sent,
): Promise<void> {
  const path = cancels === undefined ? '' : `?cancel_running=${String(cancels)}`
  const call = { campaign: id, method: 'PATCH', path, body: patch, isTagged: true } as const
  return scene.write({ ...call, ifMatch: match, flaw: wrong }, (before) => {
    const after = patched(before, { patch, cancels }, scene.world.at(before))
    return { campaign: after, status: 200, body: manifestOf(after) }
  })
}
