import fc from 'fast-check'
import type { ResumeRequest } from '#campaignd/domain/operations/resume.js'
import { anyCampaign, flaw, given, sometimes } from '../arguments/arguments.js'
import type { PlainCampaign } from '../campaign/campaign-model.js'
import type { CommandKind } from './command.js'
import { ifMatch, type Condition } from '../arguments/condition.js'
import { resumed } from '../campaign/resume-model.js'
import type { CampaignChoice } from '../world.js'

interface Resume {
  readonly campaign: CampaignChoice
  readonly hash: 'same' | 'other' | undefined
  /** What is different in the experiments that are given; undefined: none are given. */
  readonly experiments: { readonly changed: number; readonly added: boolean; readonly removed: number } | undefined
  readonly request: Omit<ResumeRequest, 'config_hash' | 'experiments'>
  readonly flaw: object | undefined
  readonly ifMatch: Condition
}

type Choice = NonNullable<ResumeRequest['on_config_change']>

export const resume: CommandKind<Resume> = {
  name: 'resume',
  weight: 40,
  arguments: fc.record({
    campaign: anyCampaign,
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
  run: (scene, { campaign, request, flaw: wrong, ifMatch: match, ...config }) => {
    const id = scene.world.choose(campaign)
    // Leases that ran out count as lost here, whether a sweep came along or not.
    if (wrong === undefined) scene.world.sweep()
    const meant: ResumeRequest = { ...request, ...configOf(scene.world.campaigns.get(id), config) }
    const body = { ...meant, ...wrong }
    const call = { method: 'POST', path: '/resume', body } as const
    const write = { campaign: id, ...call, ifMatch: match, isFlawed: wrong !== undefined }
    return scene.write(write, (before) => resumed(before, meant, scene.world.at(before)))
  },
}

/** What the caller says of its config: every so many experiments have another hash, or are left out. */
function configOf(
  campaign: PlainCampaign | undefined,
  { hash, experiments }: Pick<Resume, 'hash' | 'experiments'>,
): Pick<ResumeRequest, 'config_hash' | 'experiments'> {
  const ours = campaign?.config_hash ?? ''
  const config_hash = hash === 'other' ? (ours === 'hash-1' ? 'hash-2' : 'hash-1') : ours
  const compared = hash === undefined ? {} : { config_hash }
  if (experiments === undefined) return compared
  const { changed, added, removed } = experiments
  const all = (campaign?.experiments ?? []).map((one, index) => ({
    exp_id: one.exp_id,
    config_hash: (index + 1) % (changed + 1) === 0 ? `${one.config_hash}'`.slice(-6) : one.config_hash,
  }))
  const kept = all.filter((_, index) => (index + 1) % (removed + 2) !== 0)
  return { ...compared, experiments: added ? [...kept, { exp_id: 'added', config_hash: 'new' }] : kept }
}
