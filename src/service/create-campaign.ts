import { createHash, randomBytes } from 'node:crypto'
import { refuseTooMany, type CampaignSize } from '../domain/campaign/campaign-size.ts'
import type { CampaignManifest } from '../domain/campaign/manifest.ts'
import { DomainError } from '../domain/errors.ts'
import { createManifest } from '../domain/operations/create.ts'
import type { CampaignDraft } from '../domain/operations/draft.ts'
import type { CampaignStore, Committed } from '../repository/campaign-store.ts'
import { isRefusal } from '../repository/repository-error.ts'

export interface CreateOptions {
  /** IANA name of the zone in which naive times of the draft are read. */
  readonly timezone: string
  /** Makes up the same id every time; null: another one each time. */
  readonly idempotencyKey: string | null
}

export interface CreatedCampaign extends Committed {
  /** False: it was there already, with this definition. */
  readonly created: boolean
}

/**
 * Creates the campaign of a draft, or finds the one of its id if that has the same definition.
 * @throws DomainError `invalid`; `campaign-exists` when the one of the id has another definition
 */
export async function createCampaign(
  store: CampaignStore,
  draft: CampaignDraft,
  { timezone, idempotencyKey, now, limits }: CreateOptions & { readonly now: string; readonly limits: CampaignSize },
): Promise<CreatedCampaign> {
  refuseTooMany(draft, limits)
  const uid = randomBytes(8).toString('hex')
  const idSuffix = idempotencyKey === null ? randomBytes(4).toString('hex') : hashOf(idempotencyKey)
  return createOrFind(store, createManifest(draft, { now, timezone, uid, idSuffix }))
}

async function createOrFind(store: CampaignStore, wanted: CampaignManifest): Promise<CreatedCampaign> {
  try {
    return { ...(await store.create(wanted)), created: true }
  } catch (error) {
    if (!isRefusal(error, 'campaign-exists')) throw error
  }
  const found = await store.read(wanted.campaign_id).catch((error: unknown) => {
    if (isRefusal(error, 'campaign-not-found')) return null
    throw error
  })
  // Deleted since it was in the way: the next try creates it.
  if (found === null) return createOrFind(store, wanted)
  if (found.campaign.header.definition_digest === wanted.definition_digest) return { ...found, created: false }
  const detail = `There is a campaign ${wanted.campaign_id} already, with another definition.`
  throw new DomainError('campaign-exists', detail)
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8)
}
