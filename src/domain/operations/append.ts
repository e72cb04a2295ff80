import type { Campaign, Changes, Decision, Revision } from '../campaign/campaign.ts'
import { campaignFull, type CampaignSize, hasRoomToGrow, refuseTooMany } from '../campaign/campaign-size.ts'
import { DomainError, jsonPointer } from '../errors.ts'
import { DEFINITION_KEYS, type Experiment, sameDefinition } from '../experiment/experiment.ts'
import { isBreak, type LongWork } from '../long-work.ts'
import type { ExperimentDraft } from './draft.ts'
import { draftExperiments } from './draft-experiment.ts'

type Growth = Changes & Required<Pick<Changes, 'appended'>>

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
  const changes = { at: now, appended }
  const next = yield* grown(campaign, changes, size)
  return { changes, next, result: yield* appendedTo(next.campaign, drafted) }
}

function* missingIn(campaign: Campaign, drafted: readonly Experiment[]): LongWork<Experiment[]> {
  const missing: Experiment[] = []
  for (const [index, experiment] of drafted.entries()) {
    if (sameIn(campaign, experiment) === undefined) missing.push(experiment)
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

/**
 * The experiment of the campaign that has the id of another one.
 * @throws DomainError `experiment-exists` when it has another definition
 */
export function sameIn(campaign: Campaign, experiment: Experiment): Experiment | undefined {
  const existing = campaign.get(experiment.exp_id)
  if (existing === undefined || sameDefinition(existing, experiment)) return existing
  const other = DEFINITION_KEYS.filter((key) => existing[key] !== experiment[key]).join(', ')
  const detail = `Experiment ${experiment.exp_id} exists with another ${other}. Nothing was changed.`
  throw new DomainError('experiment-exists', detail, { experiment: existing })
}

/**
 * The campaign with the changes, which append to it.
 * @throws DomainError `invalid` for too many experiments; `campaign-full`
 */
export function* grown(campaign: Campaign, changes: Growth, size: CampaignSize): LongWork<Revision> {
  const more = changes.appended.length
  refuseTooMany({ experiments: { length: campaign.experiments.length + more } }, size)
  const next = yield* campaign.revised(changes)
  const { header, bytes, limit } = next.campaign
  if (hasRoomToGrow(bytes, limit)) return next
  throw campaignFull(`Campaign ${header.campaign_id} with ${more} more experiments`, bytes, limit)
}
