import { Type, type Static, type TObject } from '@sinclair/typebox'
import type { Campaign } from '../campaign/campaign.ts'
import type { ResumeRequest } from './resume-request.ts'

const ChangedHash = Type.Object(
  {
    exp_id: Type.String({ description: 'The experiment' }),
    from: Type.String({ description: 'Its config_hash in the campaign' }),
    to: Type.String({ description: 'The one that was given' }),
  },
  { additionalProperties: false },
)

export const configDiffProperties = {
  config_changed: Type.Boolean({ description: 'A hash is another one than was given; false when none was' }),
  changed: Type.Array(ChangedHash, { description: 'Experiments whose own hash is another one' }),
  added: Type.Array(Type.String(), { description: 'Given and not in the campaign; they are not added' }),
  removed: Type.Array(Type.String(), { description: 'In the campaign and not given; they are not deleted' }),
}

/** What is different between the configs a caller has now and those the campaign was made of. */
export type ConfigDiff = Readonly<Static<TObject<typeof configDiffProperties>>>

const NO_DIFF: ConfigDiff = { config_changed: false, changed: [], added: [], removed: [] }

/** Compares what the caller gives with the campaign; without a config_hash nothing is compared. */
export function configDiff(campaign: Campaign, { config_hash, experiments }: ResumeRequest): ConfigDiff {
  if (config_hash === undefined) return NO_DIFF
  const given = new Map((experiments ?? []).map((one) => [one.exp_id, one.config_hash]))
  const changed: ConfigDiff['changed'] = []
  const removed: string[] = []
  for (const { exp_id, config_hash: from } of experiments === undefined ? [] : campaign.experiments) {
    const to = given.get(exp_id)
    if (to === undefined) removed.push(exp_id)
    else if (to !== from) changed.push({ exp_id, from, to })
  }
  return {
    config_changed: config_hash !== campaign.header.config_hash || changed.length > 0,
    changed,
    added: [...given.keys()].filter((exp_id) => campaign.get(exp_id) === undefined),
    removed,
  }
}
