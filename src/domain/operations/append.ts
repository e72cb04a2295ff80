import type { Campaign, Decision } from '../campaign/campaign.ts'
import { draftExperiments } from './draft-experiment.ts'
import { refuseTooMany, type CampaignSize } from '../campaign/campaign-size.ts'
import type { ExperimentDraft } from './draft.ts'
import { DomainError, jsonPointer } from '../errors.ts'
import { sameDefinition, type Experiment } from '../experiment/experiment.ts'

export interface Appended {
  /** The experiments as they stand, in the order of the request. */
  readonly experiments: readonly Experiment[]
  readonly revision: number
}

/**
 * Adds experiments at the end of a campaign. Those that are there already with the same definition stay as they stand,
 * so that the call can be repeated.
 *
 * @throws DomainError `invalid`; `experiment-exists` when one is there with another definition
 */
export function appendExperiments(
  campaign: Campaign,
  drafts: readonly ExperimentDraft[],
  { now, timezone }: { readonly now: string; readonly timezone: string },
  size: CampaignSize,
): Decision<Appended> {
  const drafting = { revision: campaign.nextRevision, timezone, pointer: jsonPointer('experiments') }
  const drafted = draftExperiments(drafts, drafting)
  const appended = drafted.filter((experiment) => !isThere(campaign, experiment))
  // What is there already may be repeated, whatever is allowed by now.
  if (appended.length > 0)
    refuseTooMany({ experiments: { length: campaign.experiments.length + appended.length } }, size)
  return {
    changes: appended.length === 0 ? null : { at: now, appended },
    result: {
      experiments: drafted.map((experiment) => campaign.get(experiment.exp_id) ?? experiment),
      revision: appended.length === 0 ? campaign.header.revision : campaign.nextRevision,
    },
  }
}

function isThere(campaign: Campaign, experiment: Experiment): boolean {
  const there = campaign.get(experiment.exp_id)
  if (there === undefined) return false
  if (sameDefinition(there, experiment)) return true
  const detail = `Experiment ${experiment.exp_id} is there already with another definition. Nothing was appended.`
  throw new DomainError('experiment-exists', detail, { experiment: there })
}
