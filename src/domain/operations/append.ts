import type { Campaign, Decision } from '../campaign/campaign.ts'
import { campaignFull, type CampaignSize, hasRoomToGrow, refuseTooMany } from '../campaign/campaign-size.ts'
import { DomainError, jsonPointer } from '../errors.ts'
import { type Experiment, sameDefinition } from '../experiment/experiment.ts'
import { isBreak, type LongWork } from '../long-work.ts'
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
 * @throws DomainError `invalid`; `campaign-full`; `experiment-exists` when one exists with another definition
 */
export function* appendExperiments(
  campaign: Campaign,
  drafts: readonly ExperimentDraft[],
  { now, timezone }: { readonly now: string; readonly timezone: string },
  size: CampaignSize,
): LongWork<Decision<Appended>> {
  const drafting = { revision: campaign.nextRevision, timezone, pointer: jsonPointer('experiments') }
  const drafted = yield* draftExperiments(drafts, drafting)
  const appended = yield* missingIn(campaign, drafted)
  // A repeated call may be made even when the limit is lower than it was.
  if (appended.length === 0) return { changes: null, result: yield* appendedTo(campaign, drafted) }
  refuseTooMany({ experiments: { length: campaign.experiments.length + appended.length } }, size)
  const changes = { at: now, appended }
  const next = yield* campaign.revised(changes)
  refuseFull(next.campaign, appended.length)
  return { changes, next, result: yield* appendedTo(next.campaign, drafted) }
}

function* missingIn(campaign: Campaign, drafted: readonly Experiment[]): LongWork<Experiment[]> {
  const missing: Experiment[] = []
  for (const [index, experiment] of drafted.entries()) {
    if (!exists(campaign, experiment)) missing.push(experiment)
    if (isBreak(index)) yield
  }
  return missing
}

function* appendedTo(campaign: Campaign, drafted: readonly Experiment[]): LongWork<Appended> {
  const experiments: Experiment[] = []
  for (const [index, experiment] of drafted.entries()) {
    experiments.push(campaign.get(experiment.exp_id) ?? experiment)
    if (isBreak(index)) yield
  }
  return { experiments, revision: campaign.header.revision }
}

function refuseFull({ header, bytes, limit }: Campaign, more: number): void {
  if (hasRoomToGrow(bytes, limit)) return
  throw campaignFull(`Campaign ${header.campaign_id} with ${more} more experiments`, bytes, limit)
}

function exists(campaign: Campaign, experiment: Experiment): boolean {
  const existing = campaign.get(experiment.exp_id)
  if (existing === undefined) return false
  if (sameDefinition(existing, experiment)) return true
  const detail = `Experiment ${experiment.exp_id} exists with another definition. Nothing was appended.`
  throw new DomainError('experiment-exists', detail, { experiment: existing })
}
