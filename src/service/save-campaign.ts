import { type Precondition, requireVersion } from '../domain/campaign/version.ts'
import { DomainError, invalid } from '../domain/errors.ts'
import type { CampaignDraft } from '../domain/operations/draft.ts'
import { save } from '../domain/operations/save/save.ts'
import { isRefusal } from '../repository/repository-error.ts'
import { changedCampaign } from './changed-campaign.ts'
import { type CreatedCampaign, type CreateParts, createUnlessThere, drafted } from './create-campaign.ts'

export interface SaveOptions {
  /** IANA name of the zone of times without one. */
  readonly timezone: string
  /** The name of the token of the caller; null: none. */
  readonly actor: string | null
  /** The version that is saved over; null: there is no campaign yet. */
  readonly precondition: Precondition
  /** Whether what is completed or leased may be overwritten. */
  readonly force: boolean
}

/**
 * Saves a whole manifest under its id: creates the campaign, or changes the one that is there.
 * @throws DomainError `invalid`; `precondition-required` for one that is there; `precondition-failed`, also where there is none;
 *   `would-lose`; `campaign-full`
 */
export async function saveCampaign(
  parts: CreateParts,
  id: string,
  draft: CampaignDraft,
  { timezone, actor, precondition, force }: SaveOptions,
): Promise<CreatedCampaign> {
  if (draft.campaign_id !== undefined && draft.campaign_id !== id) {
    throw invalid({ pointer: '/campaign_id', detail: `is ${draft.campaign_id}, but the path names ${id}` })
  }
  const { store, limits } = parts
  const { manifest } = await drafted(parts, { ...draft, campaign_id: id }, { timezone, idempotencyKey: null })
  if (precondition === null) {
    const found = await createUnlessThere(store, manifest)
    if (found.created) return found
    throw preconditionRequired(id)
  }
  // When a study began is not when its campaign was created: it stands in the source, which stays.
  const hasCreatedAt = draft.created_at !== undefined && (draft.source ?? null) === null
  try {
    const campaign = await store.update(id, (before, now) => {
      requireVersion(precondition, before.header)
      return save(before, manifest, { now, actor, timezone, force, hasCreatedAt }, limits)
    })
    return { ...(await changedCampaign(store, campaign)), created: false }
  } catch (error) {
    if (isRefusal(error, 'campaign-not-found')) throw noneToMatch(id)
    throw error
  }
}

function preconditionRequired(id: string): DomainError {
  const detail =
    `There is a campaign ${id} already. To save over it, get it, and send the ETag of that response as If-Match: ` +
    'then nothing that changed meanwhile is lost.'
  return new DomainError('precondition-required', detail)
}

/** Whoever names a version knows a campaign: what was deleted meanwhile is not made again. */
function noneToMatch(id: string): DomainError {
  const detail = `There is no campaign ${id} that If-Match could name. To create it, leave If-Match out.`
  return new DomainError('precondition-failed', detail)
}
