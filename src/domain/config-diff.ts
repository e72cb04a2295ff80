import type { Campaign } from './campaign.ts'
import type { ResumeRequest } from './resume-request.ts'

/** What is different between the configs a caller has now and those the campaign was made of. */
export interface ConfigDiff {
  /** True when the campaign's hash or that of any experiment is another one. */
  readonly config_changed: boolean
  readonly changed: readonly { readonly exp_id: string; readonly from: string; readonly to: string }[]
  /** Given and not in the campaign. */
  readonly added: readonly string[]
  /** In the campaign and not given. */
  readonly removed: readonly string[]
}

const NO_DIFF: ConfigDiff = { config_changed: false, changed: [], added: [], removed: [] }

/** Compares what the caller gives with the campaign; without a config_hash nothing is compared. */
export function configDiff(campaign: Campaign, { config_hash, experiments }: ResumeRequest): ConfigDiff {
  if (config_hash === undefined) return NO_DIFF
  const given = new Map((experiments ?? []).map((one) => [one.exp_id, one.config_hash]))
  const changed = []
  const removed = []
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
