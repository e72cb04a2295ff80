import { createHash, randomBytes } from 'node:crypto'
import { type CampaignSize, refuseTooMany } from '../domain/campaign/campaign-size.ts'
import type { CampaignManifest } from '../domain/campaign/manifest.ts'
import { DomainError } from '../domain/errors.ts'
import { createManifest } from '../domain/operations/create.ts'
import type { CampaignDraft } from '../domain/operations/draft.ts'
import type { CampaignStore, Committed } from '../repository/campaign-store.ts'
import { isRefusal } from '../repository/repository-error.ts'
import { inTurns } from '../runtime/turns.ts'

export interface CreateParts {
  readonly store: CampaignStore
  readonly limits: CampaignSize
  readonly now: () => string
  /** Aborts when the service stops: a creation that takes long is given up then, with its reason. */
  readonly stopping: AbortSignal
}

export interface CreateOptions {
  /** IANA name of the zone of times without one. */
  readonly timezone: string
  /** An equal key makes an equal id for a draft without one; null: a random id. */
  readonly idempotencyKey: string | null
}

export interface CreatedCampaign extends Committed {
  /** False: it existed already, with this definition. */
  readonly created: boolean
}

/**
 * Creates the campaign of a draft, or finds the existing one if its definition is the same.
 * @throws DomainError `invalid`; `campaign-exists` when the existing one has another definition
 */
export async function createCampaign(
  { store, limits, now, stopping }: CreateParts,
  draft: CampaignDraft,
  { timezone, idempotencyKey }: CreateOptions,
): Promise<CreatedCampaign> {
  refuseTooMany(draft, limits)
  const uid = randomBytes(8).toString('hex')
  const idSuffix = idempotencyKey === null ? randomBytes(4).toString('hex') : hashOf(idempotencyKey)
  const made = inTurns(createManifest(draft, { now: now(), timezone, uid, idSuffix }), stopping)
  return createOrFind(store, await made)
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
  // Deleted after it was in the way: try again.
  if (found === null) return createOrFind(store, wanted)
  if (found.campaign.header.definition_digest === wanted.definition_digest) return { ...found, created: false }
  const detail = `There is a campaign ${wanted.campaign_id} already, with another definition.`
  throw new DomainError('campaign-exists', detail)
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8)
}
