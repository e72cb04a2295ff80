import { isDeepStrictEqual } from 'node:util'
import { type Static, Type } from '@sinclair/typebox'
import type { Campaign } from '../../campaign/campaign.ts'
import type { CampaignManifest } from '../../campaign/manifest.ts'
import { jsonPointer } from '../../errors.ts'
import { type Experiment, sameDefinition } from '../../experiment/experiment.ts'
import { isBreak, type LongWork } from '../../long-work.ts'
import { StrictObject } from '../../schema.ts'
import { isFurther } from './rank.ts'

/** Experiments that a difference names. */
const NAMED = 10

function Some(what: string) {
  return StrictObject(
    {
      count: Type.Integer({ minimum: 0, description: 'How many' }),
      first: Type.Array(Type.String(), {
        maxItems: NAMED,
        description: 'The first ones: JSON pointers into the body, or exp_ids',
      }),
    },
    { description: what },
  )
}

export const CampaignDifference = StrictObject(
  {
    fields: Type.Array(Type.String(), { description: 'Other fields that differ, such as `settings`' }),
    added: Some('Experiments that only the body has'),
    removed: Some('Experiments that only the campaign has, by exp_id'),
    changed: Some('Experiments of another definition'),
    further: Some('Experiments that are further ahead in the body'),
  },
  { description: 'How the body differs from the campaign' },
)

export type CampaignDifference = Static<typeof CampaignDifference>

const FIELDS = ['campaign_name', 'config_hash', 'settings', 'labels', 'archived'] as const

/** How a manifest that was to be created differs from the campaign that has its id. */
export function* differenceOf(campaign: Campaign, wanted: CampaignManifest): LongWork<CampaignDifference> {
  const fields = FIELDS.filter((field) => !isDeepStrictEqual(campaign.header[field], wanted[field]))
  const [added, removed, changed, further] = [none(), none(), none(), none()]
  const given = new Set<string>()
  for (const [index, experiment] of wanted.experiments.entries()) {
    given.add(experiment.exp_id)
    const existing = campaign.get(experiment.exp_id)
    const kind = kindOf(existing, experiment)
    if (kind !== null) note({ added, changed, further }[kind], jsonPointer('experiments', index))
    if (isBreak(index)) yield
  }
  let count = 0
  for (const { exp_id } of campaign.experiments) {
    if (!given.has(exp_id)) note(removed, exp_id)
    count += 1
    if (isBreak(count)) yield
  }
  return { fields: [...fields], added, removed, changed, further }
}

/** In words, such as `settings; 3 experiments added (/experiments/7, /experiments/8, /experiments/9)`. */
export function describeDifference({ fields, ...experiments }: CampaignDifference): string {
  const words = { added: 'added', removed: 'removed', changed: 'changed', further: 'further ahead' }
  const parts = Object.entries(words).flatMap(([kind, word]) => {
    const { count, first } = experiments[kind as keyof typeof words]
    if (count === 0) return []
    const more = count > first.length ? ', ...' : ''
    return [`${count} experiment${count === 1 ? '' : 's'} ${word} (${first.join(', ')}${more})`]
  })
  return [...(fields.length > 0 ? [fields.join(', ')] : []), ...parts].join('; ')
}

function kindOf(existing: Experiment | undefined, wanted: Experiment): 'added' | 'changed' | 'further' | null {
  if (existing === undefined) return 'added'
  if (!sameDefinition(existing, wanted)) return 'changed'
  return isFurther(wanted, existing) ? 'further' : null
}

function none(): CampaignDifference['added'] {
  return { count: 0, first: [] }
}

function note(some: CampaignDifference['added'], name: string): void {
  some.count += 1
  if (some.first.length < NAMED) some.first.push(name)
}
