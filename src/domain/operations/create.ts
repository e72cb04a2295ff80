import { createHash } from 'node:crypto'
import { Campaign, type Revision } from '../campaign/campaign.ts'
import { slug } from '../campaign/campaign-id.ts'
import { campaignFull, hasRoomToGrow } from '../campaign/campaign-size.ts'
import { type CampaignManifest, type CampaignSettings, DEFAULT_SETTINGS, FORMAT } from '../campaign/manifest.ts'
import { invalid, jsonPointer } from '../errors.ts'
import { requeue } from '../experiment/attempt.ts'
import { DEFINITION_KEYS, type Experiment, OUTCOME_KEYS } from '../experiment/experiment.ts'
import { lineSize } from '../indexes/experiment-sequence.ts'
import { isBreak, type LongWork } from '../long-work.ts'
import { compareTimes, readTime } from '../timestamp.ts'
import type { ExperimentDraft, WholeDraft } from './draft.ts'
import { draftExperiments } from './draft-experiment.ts'

/** What a creation needs beside the draft. */
export interface Creation {
  readonly now: string
  /** IANA name, for times without an offset. */
  readonly timezone: string
  /** 16 hex digits that no other campaign has or had. */
  readonly uid: string
  /** 8 hex digits at the end of a generated `campaign_id`: random, or from an idempotency key. */
  readonly idSuffix: string
  /** 128 bits of the hash of the idempotency key, in hex; null: there is none. */
  readonly createdBy: string | null
}

/**
 * The manifest that a draft describes, at revision 1.
 * @throws DomainError `invalid` at the first field that is not consistent, is not unique, or is no time
 */
export function* createManifest(draft: WholeDraft, creation: Creation): LongWork<CampaignManifest> {
  const { now, timezone, uid, idSuffix, createdBy } = creation
  const total_experiments = draft.experiments.length
  if (draft.total_experiments !== undefined && draft.total_experiments !== total_experiments) {
    const detail = `is ${draft.total_experiments}, but there are ${total_experiments} experiments`
    throw invalid({ pointer: '/total_experiments', detail })
  }
  const timeOf = (field: 'created_at' | 'updated_at') => {
    const text = draft[field]
    return text === undefined ? null : readTime(text, timezone, jsonPointer(field))
  }
  const created_at = timeOf('created_at')
  const updated_at = timeOf('updated_at')
  const { campaign_name, config_hash, labels = {}, archived = false, source = null } = draft
  refuseLongSource(source)
  const { cancel_running: _ignored, ...given } = draft.settings ?? {}
  const settings = { ...DEFAULT_SETTINGS, ...given }
  const experiments = yield* draftExperiments(draft.experiments, {
    revision: 1,
    timezone,
    pointer: jsonPointer('experiments'),
  })
  const body = { campaign_name, config_hash, created_at, updated_at, settings: chosen(settings), labels, source }
  return {
    campaign_id: draft.campaign_id ?? `${slug(campaign_name)}-${idSuffix}`,
    campaign_name,
    created_at: created_at ?? now,
    // One of a clock that is ahead would hold up all times that follow.
    updated_at: updated_at === null || compareTimes(updated_at, now) > 0 ? now : updated_at,
    config_hash,
    total_experiments,
    revision: 1,
    format: FORMAT,
    uid,
    settings,
    labels,
    archived,
    imported_at: draft.experiments.some(isImported) ? now : null,
    cancel_running: false,
    bench_lifted: {},
    created_by: createdBy,
    source,
    body_digest: yield* bodyDigest(archived ? { ...body, archived } : body, experiments),
    experiments,
  }
}

const MAX_SOURCE_BYTES = 4096

function refuseLongSource(source: CampaignManifest['source']): void {
  const bytes = Buffer.byteLength(JSON.stringify(source))
  if (bytes <= MAX_SOURCE_BYTES) return
  throw invalid({ pointer: '/source', detail: `has ${bytes} bytes as JSON, more than ${MAX_SOURCE_BYTES}` })
}

/** Whether it comes with a history. */
function isImported({ status = 'pending', attempt = 0, retry_count = 0 }: ExperimentDraft): boolean {
  return status !== 'pending' || attempt > 0 || retry_count > 0
}

/**
 * sha256, in hex, of what a body said beyond the defaults, with times as UTC and in one order, and of nothing that the service sets. So
 * a later version, which knows more fields, finds what this one created.
 */
function* bodyDigest(header: object, experiments: readonly Experiment[]): LongWork<string> {
  const hash = createHash('sha256').update(JSON.stringify(said(header)))
  for (const [position, experiment] of experiments.entries()) {
    hash.update(JSON.stringify([...DEFINITION_KEYS.map((key) => experiment[key]), said(outcomeOf(experiment))]))
    if (isBreak(position)) yield
  }
  return hash.digest('hex')
}

/** The settings that are not the default. */
function chosen(settings: CampaignSettings): Partial<CampaignSettings> {
  const keys = Object.keys(settings) as (keyof CampaignSettings)[]
  return Object.fromEntries(
    keys.filter((key) => settings[key] !== DEFAULT_SETTINGS[key]).map((key) => [key, settings[key]]),
  )
}

/** What follows from other fields, or is never taken from a body. */
const UNSAID: ReadonlySet<keyof Experiment> = new Set(['retry_count', 'revision', 'lease'])
const INITIAL: Partial<Experiment> = { status: 'pending', attempt: 0, failures: 0, losses: 0 }

function outcomeOf(experiment: Experiment): object {
  const keys = OUTCOME_KEYS.filter((key) => !UNSAID.has(key) && experiment[key] !== INITIAL[key])
  return Object.fromEntries(keys.map((key) => [key, experiment[key]]))
}

/** The value with the keys of its objects in one order, and without those that say nothing: of null, and of an empty list or object. */
function said(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(said)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
    .map(([key, item]) => [key, said(item)] as const)
    .filter(([, item]) => typeof item !== 'object' || (item !== null && Object.keys(item).length > 0))
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * The campaign of a new manifest. What counts against its limit is what its experiments have before they run: so what a campaign
 * became in its time, and the labels that it was given, can be exported and created again.
 * @param limit bytes of its manifest
 * @throws DomainError `campaign-full`
 */
export function* newCampaign(manifest: CampaignManifest, limit: number): LongWork<Revision> {
  const created = yield* Campaign.create(manifest, limit)
  const { campaign } = created
  if (hasRoomToGrow(campaign.bytes, limit)) return created
  let bytes = 0
  for (const [position, experiment] of manifest.experiments.entries()) {
    bytes += lineSize(JSON.stringify(beforeItRan(experiment)))
    if (isBreak(position)) yield
  }
  if (hasRoomToGrow(bytes, limit)) return created
  const what = `Campaign ${manifest.campaign_id} with its ${manifest.total_experiments} experiments`
  throw campaignFull(what, bytes, limit)
}

function beforeItRan(experiment: Experiment): Experiment {
  const pending = requeue(experiment, experiment.completed_at ?? '', 'requeue')
  return { ...pending, attempt: 0, retry_count: 0, attempts: [], actor: null }
}

/** The digest by which a campaign of format 1 is compared: sha256, in hex, over config_hash and the definitions in order. */
export function* definitionDigest(
  configHash: string,
  experiments: readonly Pick<Experiment, (typeof DEFINITION_KEYS)[number]>[],
): LongWork<string> {
  const hash = createHash('sha256').update(JSON.stringify(configHash))
  for (const [position, experiment] of experiments.entries()) {
    hash.update(JSON.stringify(DEFINITION_KEYS.map((key) => experiment[key])))
    if (isBreak(position)) yield
  }
  return hash.digest('hex')
}
