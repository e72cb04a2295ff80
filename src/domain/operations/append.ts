import type { Campaign, Decision } from '../campaign/campaign.ts'
import { type CampaignSize, refuseTooMany } from '../campaign/campaign-size.ts'
import { DomainError, jsonPointer } from '../errors.ts'
import { type Experiment, sameDefinition } from '../experiment/experiment.ts'
import type { ExperimentDraft } from './draft.ts'
import { draftExperiments } from './draft-experiment.ts'

export interface Appended {
  /** The current experiments, in the order of the request. */
  readonly experiments: readonly Experiment[]
  readonly revision: number
}

/**
 * Adds experiments at the end of a campaign. Those that exist with the same definition stay as they are, so that the call
 * can be repeated.
 *
 * @throws DomainError `invalid`; `experiment-exists` when one exists with another definition
 */
export function appendExperiments(
  campaign: Campaign,
  drafts: readonly ExperimentDraft[],
  { now, timezone }: { readonly now: string; readonly timezone: string },
  size: CampaignSize,
): Decision<Appended> {
  const drafting = { revision: campaign.nextRevision, timezone, pointer: jsonPointer('experiments') }
  const drafted = draftExperiments(drafts, drafting)
  const appended = drafted.filter((experiment) => !exists(campaign, experiment))
  const experiments = drafted.map((experiment) => campaign.get(experiment.exp_id) ?? experiment)
  // A repeated call may be made even when the limit is lower than it was.
  if (appended.length === 0) return { changes: null, result: { experiments, revision: campaign.header.revision } }
  refuseTooMany({ experiments: { length: campaign.experiments.length + appended.length } }, size)
  return { changes: { at: now, appended }, result: { experiments, revision: campaign.nextRevision } }
}

function exists(campaign: Campaign, experiment: Experiment): boolean {
  const existing = campaign.get(experiment.exp_id)
  if (existing === undefined) return false
  if (sameDefinition(existing, experiment)) return true
  const detail = `Experiment ${experiment.exp_id} exists with another definition. Nothing was appended.`
  throw new DomainError('experiment-exists', detail, { experiment: existing })
}
