import * as nodeFs from 'node:fs'
import { constants } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { Campaign, type CampaignOptions } from '../../../domain/campaign/campaign.ts'
import { CampaignManifest, FORMAT } from '../../../domain/campaign/manifest.ts'
import { DomainError } from '../../../domain/errors.ts'
import { CampaignManifestEntry, retryCount } from '../../../domain/experiment/experiment.ts'
import { shareRepeated } from '../../../domain/experiment/repeated-values.ts'
import { Format1Entry, Format1Manifest, upgraded } from '../../../domain/formats/manifest-format-1.ts'
import { isBreak, type LongWork } from '../../../domain/long-work.ts'
import { createManifest } from '../../../domain/operations/create.ts'
import { ExperimentDraft, WholeDraft } from '../../../domain/operations/draft.ts'
import { TEXT_FORMATS } from '../../../domain/text-format.ts'
import { readTime } from '../../../domain/timestamp.ts'
import type { CorruptCampaign } from '../../../domain/views/campaign-list.ts'
import { inTurns } from '../../../runtime/turns.ts'
import type { Committed } from '../../campaign-store.ts'
import { type FileIdentity, identityOf, isSame } from '../commit/file-identity.ts'
import { ManifestBytes } from './manifest-bytes.ts'
import { readManifestLines } from './manifest-lines.ts'
import { digestOf, isText, parseWhole, readWhole } from './whole-file.ts'

export interface StoredManifest extends Committed {
  readonly encoded: ManifestBytes
  readonly identity: FileIdentity
}

/** A corrupt file: it is reported and left alone. */
export interface CorruptFile {
  readonly listed: CorruptCampaign
  readonly identity: FileIdentity | null
}

export interface LoadOptions {
  /** Of the file's name. */
  readonly id: string
  /** Bytes that the manifest may have: a larger one is read all the same. */
  readonly limit: number
  /** Aborts when the service stops: a file that takes long is read no further then. */
  readonly stopping: AbortSignal
}

/** Bytes of a file that is read whole, since its layout is not ours: as text it must fit into one string. */
const MAX_WHOLE = 256 * 1024 * 1024

/**
 * Reads and checks a manifest.
 * @returns null when there is no such file
 * @throws the reason of `stopping`
 */
export async function loadManifest(path: string, options: LoadOptions): Promise<StoredManifest | CorruptFile | null> {
  const { id, stopping } = options
  // A start reads many in a row, and the lock must be refreshed meanwhile.
  await nextTurn()
  const identity = identityOf(nodeFs, path)
  if (identity === null) {
    const stat = nodeFs.lstatSync(path, { throwIfNoEntry: false })
    return stat === undefined ? null : corruptFile(id, 'it is a symbolic link or no regular file', null, stat.mtime)
  }
  const modified = new Date(Number(identity.mtimeNs / 1_000_000n))
  try {
    const { campaign, encoded } = await readCampaign(path, { ...options, identity, modified })
    if (!isSame(identityOf(nodeFs, path), identity)) throw new Untrusted('it changes while it is read')
    return { campaign, encoded, identity }
  } catch (error) {
    if (stopping.aborted && error === stopping.reason) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    // Where reading failed, the next attempt may succeed: only what was read is corrupt until it is another file.
    const isFinal = error instanceof Untrusted || error instanceof DomainError
    return corruptFile(id, reasonOf(error), isFinal ? identity : null, modified)
  }
}

export function corruptFile(id: string, reason: string, identity: FileIdentity | null, at: Date): CorruptFile {
  const time = at.toISOString()
  const names = { campaign_id: id, campaign_name: id }
  return { listed: { ...names, created_at: time, updated_at: time, state: 'corrupt', reason }, identity }
}

class Untrusted extends Error {}

interface Reading extends LoadOptions {
  readonly identity: FileIdentity
  readonly modified: Date
}

/** Synchronous, turn by turn: hops through the thread pool make a start slow. A link that was put there since is not followed. */
async function readCampaign(path: string, reading: Reading): Promise<Omit<StoredManifest, 'identity'>> {
  const { id, limit, identity, stopping } = reading
  const descriptor = nodeFs.openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const lines = await readManifestLines(descriptor, stopping)
    if (lines !== null && isOfFormat(lines.value, FORMAT)) {
      const campaign = await inTurns(ownCampaign(lines.value, id, { limit, sizes: lines.sizes }), stopping)
      return { campaign, encoded: lines.encoded }
    }
    if (lines !== null && 'revision' in lines.value) {
      const campaign = await inTurns(otherCampaign(lines.value, reading), stopping)
      return { campaign, encoded: await inTurns(ManifestBytes.of(campaign), stopping) }
    }
    if (identity.size > MAX_WHOLE) throw new Untrusted(TOO_LARGE)
    const file = await inTurns(readWhole(descriptor, Number(identity.size)), stopping)
    const campaign = await inTurns(campaignOf(file, reading), stopping)
    return { campaign, encoded: await inTurns(ManifestBytes.of(campaign), stopping) }
  } finally {
    nodeFs.closeSync(descriptor)
  }
}

const TOO_LARGE =
  `it is larger than ${MAX_WHOLE / 1024 / 1024} MiB, and not a manifest with one experiment a line as this service writes it: ` +
  'it may have been cut short, or written by two at once'

function* ownCampaign(value: unknown, id: string, options: CampaignOptions): LongWork<Campaign> {
  return yield* Campaign.from(yield* checkedManifest(yield* readOwnManifest(value), id), options)
}

function isOfFormat(value: unknown, format: number): boolean {
  return typeof value === 'object' && value !== null && 'format' in value && value.format === format
}

/** One of ours in another format. */
function* otherCampaign(value: object, { id, limit }: Reading): LongWork<Campaign> {
  if ('format' in value && value.format !== 1) {
    const reads = `this version of the service reads formats up to ${FORMAT}`
    throw new Untrusted(`its format is ${JSON.stringify(value.format)}, and ${reads}`)
  }
  const { format: _format, ...old } = value as { readonly format?: unknown }
  const manifest = yield* upgraded(yield* checked(old, FORMAT_1))
  return yield* Campaign.from(yield* checkedManifest(manifest, id), { limit })
}

function* campaignOf(file: Buffer, reading: Reading): LongWork<Campaign> {
  if (!(yield* isText(file))) throw new Untrusted('it is not UTF-8')
  let value: unknown
  try {
    value = yield* parseWhole(file)
  } catch (error) {
    throw new Untrusted(
      `it is not JSON, as when it was cut short or written by two at once: ${(error as Error).message}`,
    )
  }
  if (isOfFormat(value, FORMAT)) return yield* ownCampaign(value, reading.id, reading)
  if (typeof value === 'object' && value !== null && 'revision' in value) return yield* otherCampaign(value, reading)
  const manifest = yield* readToolManifest(value, file, reading)
  return yield* Campaign.from(yield* checkedManifest(manifest, reading.id), reading)
}

/** @throws Untrusted when it is of another campaign, or contradicts itself */
function* checkedManifest(manifest: CampaignManifest, id: string): LongWork<CampaignManifest> {
  const { campaign_id, total_experiments, revision: newest, experiments } = manifest
  if (campaign_id !== id) throw new Untrusted(`its campaign_id is ${JSON.stringify(campaign_id)}`)
  if (total_experiments !== experiments.length) {
    throw new Untrusted(`its total_experiments is ${total_experiments}, but it has ${experiments.length}`)
  }
  const ids = new Set<string>()
  for (const [position, { exp_id, attempt, retry_count, revision }] of experiments.entries()) {
    if (ids.has(exp_id)) throw new Untrusted(`it has the experiment ${exp_id} twice`)
    if (retry_count !== retryCount(attempt)) throw new Untrusted(`retry_count and attempt of ${exp_id} disagree`)
    if (revision > newest) throw new Untrusted(`experiment ${exp_id} is newer than its campaign`)
    ids.add(exp_id)
    if (isBreak(position)) yield
  }
  yield* shareRepeated(experiments)
  return manifest
}

// A time has a pattern of its own.
const formats = { ...TEXT_FORMATS, 'date-time': true } as const
const ajv = new Ajv({ strict: false, allErrors: false, validateSchema: false, formats })
ajv.addSchema([CampaignManifestEntry, ExperimentDraft])
/** A schema of manifests, checked in slices: first all but the experiments, as their list is the last that a manifest has. */
interface Checks<T> {
  readonly ofRest: ValidateFunction<T>
  readonly ofEntry: ValidateFunction
}

function checksOf<T>(manifest: { readonly properties: { readonly experiments: object } }, entry: object): Checks<T> {
  const { items: _entries, ...list } = manifest.properties.experiments as { readonly items?: unknown }
  const ofRest = { ...manifest, properties: { ...manifest.properties, experiments: list } }
  return { ofRest: ajv.compile<T>(ofRest), ofEntry: ajv.compile(entry) }
}

const OWN = checksOf<CampaignManifest>(CampaignManifest, CampaignManifestEntry)
const FORMAT_1 = checksOf<Format1Manifest>(Format1Manifest, Format1Entry)
const TOOL = checksOf<WholeDraft>(WholeDraft, ExperimentDraft)

function* checked<T extends { readonly experiments: readonly unknown[] }>(
  value: unknown,
  { ofRest, ofEntry }: Checks<T>,
): LongWork<T> {
  if (!ofRest(value)) throw new Untrusted(firstFault(ofRest.errors))
  for (const [position, entry] of value.experiments.entries()) {
    if (!ofEntry(entry)) throw new Untrusted(firstFault(ofEntry.errors, `/experiments/${position}`))
    if (isBreak(position)) yield
  }
  return value
}

function* readOwnManifest(value: unknown): LongWork<CampaignManifest> {
  return yield* checked(value, OWN)
}

/** A file of the Python tool, put there by hand: times without a zone are UTC. */
function* readToolManifest(value: unknown, file: Buffer, { modified }: Reading): LongWork<CampaignManifest> {
  const draft = yield* checked(value, TOOL)
  // The same each time that this file is read, until its first change stores it.
  const uid = (yield* digestOf(file)).slice(0, 16)
  const creation = { now: modified.toISOString(), timezone: 'UTC', uid, idSuffix: '', createdBy: null }
  const manifest = yield* createManifest({ created_at: creation.now, ...draft }, creation)
  return draft.updated_at === undefined
    ? manifest
    : { ...manifest, updated_at: readTime(draft.updated_at, 'UTC', '/updated_at') }
}

function firstFault(errors: ErrorObject[] | null | undefined, place = ''): string {
  const error = errors?.[0]
  if (error === undefined) return 'it is no manifest'
  const key: unknown = error.params['additionalProperty']
  return typeof key === 'string'
    ? `it has the key ${JSON.stringify(key)}, of a newer version or of something else`
    : `it is no manifest: ${place}${error.instancePath} ${error.message ?? ''}`
}

function reasonOf(error: unknown): string {
  if (error instanceof Untrusted) return error.message
  if (error instanceof DomainError) return `it is no manifest: ${error.message}`
  // Not the message of the system, which has the path.
  return `it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`
}
