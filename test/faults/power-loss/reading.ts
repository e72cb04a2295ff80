import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CampaignStore } from '#campaignd/repository/campaign-store.js'
import { DataDirectory } from '#campaignd/repository/file/data-directory.js'
import { loadManifest } from '#campaignd/repository/file/encoding/manifest-file.js'
import { openFileStore } from '#campaignd/repository/file/open-file-store.js'
import { RepositoryError } from '#campaignd/repository/repository-error.js'
import { RUNNING } from '../../support/store/running.js'

/** What is seen of a campaign, in words that are equal when it is the same, byte for byte. */
export type Sight = string

/** What may be seen of a campaign: nothing is promised of what another program is still writing. */
export type Allowed = ReadonlySet<Sight> | 'anything'

/** What lies under the name of a campaign, and beside it. */
export interface Slot {
  readonly manifest: Uint8Array | null
  readonly kind: 'manifest' | 'corrupt'
  readonly aside: readonly Uint8Array[]
}

export const EMPTY: Slot = { manifest: null, kind: 'manifest', aside: [] }

export function sightOf({ manifest, kind, aside }: Slot): Sight {
  const seen = manifest === null ? 'nothing' : `${kind} ${digest(manifest)}`
  return [seen, ...aside.map((bytes) => `set aside ${digest(bytes)}`)].join(', ')
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12)
}

/** What a start found in a data directory. */
export interface Reading {
  readonly sights: ReadonlyMap<string, Sight>
  /** What should not be, whichever campaigns there are. */
  readonly problems: readonly string[]
}

type Content = Pick<Slot, 'manifest' | 'kind'>

/** Does of a start what decides about the disk, in the same order as `openFileStore` but without lock and thread. */
export async function sweepAndRead(dataDir: string): Promise<Reading> {
  const directory = new DataDirectory(dataDir)
  directory.sweep()
  const { sights, problems } = await readAll(directory, async (id) => {
    const loaded = await loadManifest(directory.manifest(id), { id, limit: Infinity, stopping: RUNNING })
    if (loaded === null) return EMPTY
    return 'listed' in loaded
      ? corruptFile(directory, id)
      : { kind: 'manifest', manifest: Buffer.concat([...loaded.encoded.parts]) }
  })
  return { sights, problems: [...problems, ...leftIn(dataDir)] }
}

/** Opens the repository as the service does, reads every campaign and closes it. */
export async function openAndRead(dataDir: string): Promise<Reading> {
  const directory = new DataDirectory(dataDir)
  const notices: string[] = []
  const store = await openFileStore({
    dataDir,
    now: () => new Date().toISOString(),
    monotonic: () => performance.now(),
    durability: 'fsync',
    onWait: (holder) => notices.push(`waits for ${holder}`),
    onNotice: () => undefined,
    maxCampaignBytes: Infinity,
    stopping: RUNNING,
    onCorrupt: () => undefined,
    onShrunk: () => undefined,
    onCommit: () => undefined,
    onFatal: (reason) => notices.push(reason.message),
  })
  const read = async (id: string): Promise<Content> => {
    try {
      return { kind: 'manifest', manifest: await bytesOf(store, id) }
    } catch (error) {
      if (!(error instanceof RepositoryError)) throw error
      return error.code === 'campaign-corrupt' ? corruptFile(directory, id) : EMPTY
    }
  }
  const { sights, problems } = await readAll(directory, read).finally(() => store.close())
  return { sights, problems: [...problems, ...notices, ...leftIn(dataDir)] }
}

async function bytesOf(store: CampaignStore, id: string): Promise<Uint8Array> {
  const { encoded } = await store.read(id)
  if (encoded === null) throw new Error('the store does not keep the bytes')
  return Buffer.concat([...encoded.parts])
}

function leftIn(dataDir: string): string[] {
  const left = readdirSync(dataDir).filter((name) => name !== 'campaigns')
  return left.map((name) => `${name} is left in the data directory`)
}

async function readAll(directory: DataDirectory, read: (id: string) => Promise<Content>): Promise<Reading> {
  const names = readdirSync(directory.campaigns)
  const problems = [
    ...names
      .filter((name) => name.endsWith('.tmp'))
      .map((name) => `a temp file of ${idOf(name)} is left after the sweep`),
    ...directory.unrecognisedFiles().map((name) => `${name} is the name of no campaign`),
  ]
  const asideOf = new Map<string, Uint8Array[]>()
  for (const name of names.filter((name) => name.endsWith('.set-aside'))) {
    const id = idOf(name)
    asideOf.set(id, [...(asideOf.get(id) ?? []), readFileSync(join(directory.campaigns, name))])
  }
  const sights = new Map<string, Sight>()
  for (const id of new Set([...directory.ids(), ...asideOf.keys()])) {
    const { manifest, kind } = await read(id)
    const sight = sightOf({ manifest, kind, aside: asideOf.get(id) ?? [] })
    const same = manifest === null || sameAsFile(directory, id, manifest)
    sights.set(id, same ? sight : `${sight}, but not as it is written`)
    if (manifest === null && directory.ids().includes(id)) problems.push(`the file of ${id} is there, and not read`)
  }
  return { sights, problems }
}

function corruptFile(directory: DataDirectory, id: string): Content {
  return { kind: 'corrupt', manifest: readFileSync(directory.manifest(id)) }
}

/** What is read is encoded anew, so a file that lost no more than its last line break would seem whole. */
function sameAsFile(directory: DataDirectory, id: string, bytes: Uint8Array): boolean {
  return Buffer.compare(readFileSync(directory.manifest(id)), bytes) === 0
}

function idOf(name: string): string {
  return name.slice(0, name.indexOf('.'))
}
