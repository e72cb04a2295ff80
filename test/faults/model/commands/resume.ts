import fc from 'fast-check'
import type { ResumeRequest } from '#campaignd/domain/operations/resume.js'
import { anyChoice, flaw, given, sometimes } from '../arguments/arguments.js'
import { ifMatch } from '../arguments/condition.js'
import type { PlainCampaign } from '../campaign/campaign-model.js'
import { resumed } from '../campaign/resume-model.js'
import { command } from './command.js'

/** Which experiments of its config the caller names: every so many have another hash, or are left out. */
interface Named {
  readonly changed: number
  readonly added: boolean
  readonly removed: number
}

type Choice = NonNullable<ResumeRequest['on_config_change']>

export const resume = command({
  name: 'resume',
  weight: 40,
  arguments: fc.record({
    campaign: anyChoice,
    hash: fc.constantFrom(undefined, 'same', 'other'),
    experiments: sometimes(2, fc.record({ changed: fc.nat(7), added: fc.boolean(), removed: fc.nat(12) })),
    request: fc
      .record({
        on_config_change: sometimes(2, fc.constantFrom<Choice[]>('refuse', 'rerun_changed', 'accept')),
        retry_failed: sometimes(3, fc.boolean()),
        unleased: sometimes(3, fc.constantFrom<('requeue' | 'keep')[]>('requeue', 'keep')),
        dry_run: sometimes(4, fc.boolean()),
      })
      .map(given),
    flaw: flaw(25, { on_config_change: 'ask' }, { retry_failed: 'no' }, { experiments: [{ exp_id: '0001' }] }),
    ifMatch,
  }),
  run: (scene, { campaign, request, hash, experiments, ...rest }) => {
    const { world } = scene
    const id = world.choose(campaign)
    // Leases that ran out count as lost here, whether a sweep came along or not.
    if (rest.flaw === undefined) world.sweep()
    const body: ResumeRequest = { ...request, ...configOf(world.campaigns.get(id), hash, experiments) }
    return scene.write({ ...rest, campaign: id, method: 'POST', path: '/resume', body }, (before) =>
      resumed(before, body, world.at(before)),
    )
  },
})

function configOf(
  campaign: PlainCampaign | undefined,
  hash: 'same' | 'other' | undefined,
  named: Named | undefined,
): Pick<ResumeRequest, 'config_hash' | 'experiments'> {
  const ours = campaign?.config_hash ?? ''
  const config_hash = hash === 'other' ? (ours === 'hash-1' ? 'hash-2' : 'hash-1') : ours
  const compared = hash === undefined ? {} : { config_hash }
  if (named === undefined) return compared
  const { changed, added, removed } = named
  const all = (campaign?.experiments ?? []).map((one, index) => ({
    exp_id: one.exp_id,
    config_hash: (index + 1) % (changed + 1) === 0 ? `${one.config_hash}'`.slice(-6) : one.config_hash,
  }))
  const kept = all.filter((_, index) => (index + 1) % (removed + 2) !== 0)
  return { ...compared, experiments: added ? [...kept, { exp_id: 'added', config_hash: 'new' }] : kept }
}
