import { createHash, randomBytes } from 'node:crypto'
import { campaignFull, type CampaignSize, hasRoomToGrow, refuseTooMany } from '../domain/campaign/campaign-size.ts'
import type { CampaignManifest } from '../domain/campaign/manifest.ts'
import { DomainError, invalid } from '../domain/errors.ts'
import { createManifest, definitionDigest } from '../domain/operations/create.ts'
import { bytesOf, type CampaignDraft, countOf, wholeDraft } from '../domain/operations/draft.ts'
import { describeDifference, differenceOf } from '../domain/operations/merge/difference.ts'
import { merge, type MergeResult } from '../domain/operations/merge/merge.ts'
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
  /** An equal key finds the campaign that it made before, for a draft without an id; null: a random id. */
  readonly idempotencyKey: string | null
}

export interface CreatedCampaign extends Committed {
  /** False: it existed already, made by this body. */
  readonly created: boolean
}

/** Digits of an id that is made from the hash of an idempotency key, and of the hash that the campaign keeps. */
const SUFFIX = 8
const CREATED_BY = 32

/**
 * Creates the campaign of a draft, or finds the one that an equal body made.
 * @throws DomainError `invalid`; `campaign-exists`, with the difference, when there is another one of its id
 */
export async function createCampaign(
  parts: CreateParts,
  draft: CampaignDraft,
  options: CreateOptions,
): Promise<CreatedCampaign> {
  const { store, stopping } = parts
  const { manifest, key } = await drafted(parts, draft, options)
  if (key === null || draft.campaign_id !== undefined) return createOrFind(store, manifest, stopping)
  return createByKey(store, manifest, key, stopping)
}

export interface MergeOptions extends CreateOptions {
  /** The name of the token of the caller; null: none. */
  readonly actor: string | null
}

/**
 * Creates the campaign of a draft, or merges it into the one that has its id.
 * @throws DomainError `invalid`, also without a campaign_id; `experiment-exists`; `campaign-full`
 */
export async function createOrMerge(
  parts: CreateParts,
  draft: CampaignDraft,
  { actor, ...options }: MergeOptions,
): Promise<CreatedCampaign | MergeResult> {
  const { store, limits } = parts
  if (draft.campaign_id === undefined) {
    throw invalid({ pointer: '/campaign_id', detail: 'is required with ?on_exists=merge' })
  }
  const { manifest } = await drafted(parts, draft, options)
  for (;;) {
    const found = await createUnlessThere(store, manifest)
    if (found.created) return found
    try {
      return await store.update(manifest.campaign_id, (campaign, now) =>
        merge(campaign, manifest, { now, actor }, limits),
      )
    } catch (error) {
      // Deleted after it was in the way: try again.
      if (!isRefusal(error, 'campaign-not-found')) throw error
    }
  }
}

export interface Drafted {
  readonly manifest: CampaignManifest
  /** The hash of the idempotency key, in hex; null: there is none. */
  readonly key: string | null
}

/** The manifest of a draft, with times and limits checked. */
export async function drafted(
  { limits, now, stopping }: CreateParts,
  draft: CampaignDraft,
  { timezone, idempotencyKey }: CreateOptions,
): Promise<Drafted> {
  const count = countOf(draft)
  refuseTooMany(
    { ...draft, experiments: { length: count } },
    limits,
    draft.matrix === undefined ? '/experiments' : '/matrix',
  )
  // Before the experiments are made: a short body may describe more than there is memory for.
  const bytes = bytesOf(draft)
  if (!hasRoomToGrow(bytes, limits.maxCampaignBytes)) {
    throw campaignFull(`Campaign ${draft.campaign_name} with its ${count} experiments`, bytes, limits.maxCampaignBytes)
  }
  const uid = randomBytes(8).toString('hex')
  const key = idempotencyKey === null ? null : createHash('sha256').update(idempotencyKey).digest('hex')
  const idSuffix = key?.slice(0, SUFFIX) ?? randomBytes(SUFFIX / 2).toString('hex')
  const creation = { now: now(), timezone, uid, idSuffix, createdBy: key?.slice(0, CREATED_BY) ?? null }
  const whole = await inTurns(wholeDraft(draft), stopping)
  return { manifest: await inTurns(createManifest(whole, creation), stopping), key }
}

/** An id that campaigns of other keys have goes on with the next digits of the hash. */
async function createByKey(
  store: CampaignStore,
  wanted: CampaignManifest,
  key: string,
  stopping: AbortSignal,
): Promise<CreatedCampaign> {
  const slug = wanted.campaign_id.slice(0, -SUFFIX)
  for (let at = 0; at < key.length - SUFFIX; at += SUFFIX) {
    const campaign_id = `${slug}${key.slice(at, at + SUFFIX)}`
    const found = await createUnlessThere(store, { ...wanted, campaign_id })
    if (found.created || found.campaign.header.created_by === wanted.created_by)
      return sameOrRefused(found, wanted, stopping)
    // Before the whole hash was kept: of the same key, if its body is the same.
    const isOld = found.campaign.header.created_by === null && (await isOfBody(found, wanted, stopping))
    if (isOld) return found
  }
  return createOrFind(store, { ...wanted, campaign_id: `${slug}${key.slice(-SUFFIX)}` }, stopping)
}

async function createOrFind(
  store: CampaignStore,
  wanted: CampaignManifest,
  stopping: AbortSignal,
): Promise<CreatedCampaign> {
  return sameOrRefused(await createUnlessThere(store, wanted), wanted, stopping)
}

/** The new campaign, or the one that has its id already. */
export async function createUnlessThere(store: CampaignStore, wanted: CampaignManifest): Promise<CreatedCampaign> {
  for (;;) {
    try {
      return { ...(await store.create(wanted)), created: true }
    } catch (error) {
      if (!isRefusal(error, 'campaign-exists')) throw error
    }
    const found = await store.read(wanted.campaign_id).catch((error: unknown) => {
      if (isRefusal(error, 'campaign-not-found')) return null
      throw error
    })
    // Null: deleted after it was in the way, so try again.
    if (found !== null) return { ...found, created: false }
  }
}

async function sameOrRefused(
  found: CreatedCampaign,
  wanted: CampaignManifest,
  stopping: AbortSignal,
): Promise<CreatedCampaign> {
  if (found.created || (await isOfBody(found, wanted, stopping))) return found
  const { campaign_id } = found.campaign.header
  const difference = await inTurns(differenceOf(found.campaign, wanted), stopping)
  const differs = describeDifference(difference)
  const detail =
    `There is a campaign ${campaign_id} already, made by another body. ` +
    (differs === ''
      ? 'It differs only in results, times or order, or it is further ahead by now. '
      : `It differs from this one: ${differs}. `) +
    'To take over what is further ahead, post it with ?on_exists=merge; to import it beside the other one, with ?campaign_id=.'
  throw new DomainError('campaign-exists', detail, { difference })
}

/** Whether a campaign was made by the body of the wanted one. One of an earlier format knows only its definitions. */
async function isOfBody(
  { campaign: { header } }: Committed,
  { body_digest, config_hash, experiments }: CampaignManifest,
  stopping: AbortSignal,
): Promise<boolean> {
  if (header.body_digest !== null) return header.body_digest === body_digest
  return header.definition_digest === (await inTurns(definitionDigest(config_hash, experiments), stopping))
}
