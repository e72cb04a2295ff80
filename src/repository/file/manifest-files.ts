import * as nodeFs from 'node:fs'
import type { Revision } from '../../domain/campaign/campaign.ts'
import type { LongWork } from '../../domain/long-work.ts'
import { inTurns } from '../../runtime/turns.ts'
import type { Committed } from '../campaign-store.ts'
import type { CommitReport } from '../commit-report.ts'
import type { CampaignCommits } from '../group-commit/campaign-commits.ts'
import { alreadyThere, corrupt, notFound } from '../repository-error.ts'
import type { CommitThreads } from './commit/commit-threads.ts'
import { identityOf, isSame } from './commit/file-identity.ts'
import type { FileChange, FileOutcome } from './commit/file-job.ts'
import { runReported } from './commit/reported-change.ts'
import { endOf, systemError } from './commit/system-error.ts'
import type { DataDirectory } from './data-directory.ts'
import { ManifestBytes } from './encoding/manifest-bytes.ts'
import { type CorruptFile, corruptFile, loadManifest, type StoredManifest } from './encoding/manifest-file.ts'
import type { Fence } from './fence.ts'
import { KeyedMutex } from './keyed-mutex.ts'

/** Milliseconds for which the directory is not scanned again for files that were put there by hand. */
const SCAN_MS = 1000

const UNFLUSHED = 'it could not be flushed to the disk; put a copy in its place'

export interface ManifestFilesOptions {
  readonly directory: DataDirectory
  readonly threads: Pick<CommitThreads, 'run'>
  readonly fence: Fence
  readonly open: (id: string, manifest: StoredManifest) => CampaignCommits<StoredManifest>
  /** A file was put there by hand. */
  readonly onFound: (found: Committed) => void
  /** A file was found corrupt, or is so for another reason now. */
  readonly onCorrupt: (id: string, reason: string) => void
  readonly onCommit: (report: CommitReport) => void
  /** Bytes that a manifest may have. */
  readonly maxCampaignBytes: number
  /** Aborts when the service stops: what takes long and is not yet handed to a thread is given up then, with its reason. */
  readonly stopping: AbortSignal
}

/** The manifests of the directory: those that are read, and those that are corrupt. */
export class ManifestFiles {
  private readonly read = new Map<string, CampaignCommits<StoredManifest>>()
  private readonly corrupted = new Map<string, CorruptFile>()
  /** Creations and first reads, one at a time for each id. */
  private readonly mutex = new KeyedMutex()
  private scannedAt = -Infinity

  constructor(private readonly options: ManifestFilesOptions) {}

  get(id: string): CampaignCommits<StoredManifest> | undefined {
    return this.read.get(id)
  }

  corrupt(id: string): CorruptFile | undefined {
    return this.corrupted.get(id)
  }

  get campaigns(): readonly CampaignCommits<StoredManifest>[] {
    return [...this.read.values()]
  }

  get corruptFiles(): readonly CorruptFile[] {
    return [...this.corrupted.values()]
  }

  /** Resolves when no file is being read or created. */
  idle(): Promise<void> {
    return this.mutex.idle()
  }

  /** Reads its file when it is not known. @throws RepositoryError `campaign-not-found`, `campaign-corrupt` */
  async find(id: string): Promise<CampaignCommits<StoredManifest>> {
    const known = this.read.get(id)
    if (known !== undefined) return known
    await this.refresh(id)
    const found = this.read.get(id)
    if (found !== undefined) return found
    const file = this.corrupted.get(id)
    throw file === undefined ? notFound(id) : corrupt(id, file.listed.reason)
  }

  /**
   * Writes the file of a new campaign.
   * @param make is called once there is no such campaign; what it throws is passed on
   * @returns it as it was created, whatever happened to it since
   * @throws RepositoryError `campaign-exists`, `campaign-corrupt`, and those of a write
   */
  create(
    id: string,
    make: () => LongWork<Revision>,
  ): Promise<{ readonly created: StoredManifest; readonly shrunk: number }> {
    return this.mutex.run(id, async () => {
      await this.refuseIfThere(id)
      const { directory, stopping } = this.options
      const { campaign, lines, shrunk } = await inTurns(make(), stopping)
      const encoded = await inTurns(ManifestBytes.of(campaign, lines), stopping)
      this.options.fence.refuseIfStopped()
      const change = { kind: 'create', path: directory.manifest(id), temp: directory.temps(id)() } as const
      const outcome = await this.change({ ...change, parts: encoded.parts })
      if (outcome.kind === 'refused' && outcome.because === 'exists') throw alreadyThere(id)
      if (outcome.kind !== 'done' || outcome.identity === null) throw systemError(outcome)
      const created = { campaign, encoded, identity: outcome.identity }
      this.add(id, created)
      return { created, shrunk }
    })
  }

  /** Moves a corrupt file aside. @throws RepositoryError `campaign-not-found`, and without `force` `campaign-corrupt` */
  moveAside(id: string, force: boolean): Promise<void> {
    return this.mutex.run(id, async () => {
      const file = this.corrupted.get(id)
      if (file === undefined) throw notFound(id)
      if (!force) throw corrupt(id, file.listed.reason)
      this.options.fence.refuseIfStopped()
      const { directory } = this.options
      const outcome = await this.change({ kind: 'move', path: directory.manifest(id), to: directory.aside(id) })
      if (outcome.kind !== 'done') throw systemError(outcome)
      this.remove(id)
    })
  }

  remove(id: string): void {
    this.read.delete(id)
    this.corrupted.delete(id)
  }

  /** The file is not the one that was written last. */
  quarantine(id: string, reason: string): void {
    const path = this.options.directory.manifest(id)
    this.read.delete(id)
    this.markCorrupt(id, corruptFile(id, reason, identityOf(nodeFs, path), new Date()))
  }

  /** Reads every manifest, at a start: a thread flushes them while they are parsed here. @throws Error when they cannot be */
  async readAll(): Promise<void> {
    const { directory, threads } = this.options
    const ids = directory.ids()
    const flush = threads.run({ kind: 'flush', paths: ids.map((id) => directory.manifest(id)) })
    const loads: [string, StoredManifest | CorruptFile | null][] = []
    for (const id of ids) loads.push([id, await this.load(id)])
    const { outcome: flushed } = await flush
    const end = endOf(flushed)
    if (end !== null) throw end
    for (const [id, loaded] of loads) {
      const isAdded = loaded !== null && 'campaign' in loaded && this.addIfDurable(id, loaded, flushed)
      if (!isAdded) await this.refresh(id)
    }
  }

  /** Reads files that were put there by hand or replaced a corrupt one. */
  async scan(): Promise<void> {
    if (performance.now() - this.scannedAt < SCAN_MS) return
    this.scannedAt = performance.now()
    for (const id of this.options.directory.ids()) await this.refresh(id)
  }

  async refresh(id: string): Promise<void> {
    if (!this.read.has(id)) await this.mutex.run(id, () => this.refreshNow(id))
  }

  private async refreshNow(id: string): Promise<void> {
    if (this.read.has(id)) return
    const path = this.options.directory.manifest(id)
    const known = this.corrupted.get(id)?.identity ?? null
    if (known !== null && isSame(identityOf(nodeFs, path), known)) return
    const loaded = await this.load(id)
    if (loaded === null) this.corrupted.delete(id)
    else if ('listed' in loaded) this.markCorrupt(id, loaded)
    else await this.flushAndAdd(id, loaded)
  }

  private load(id: string): Promise<StoredManifest | CorruptFile | null> {
    const { directory, maxCampaignBytes: limit, stopping } = this.options
    return loadManifest(directory.manifest(id), { id, limit, stopping })
  }

  /** It may have been put there by hand, or written by a run that did not flush. */
  private async flushAndAdd(id: string, loaded: StoredManifest): Promise<void> {
    const { fence, threads, directory } = this.options
    const path = directory.manifest(id)
    fence.refuseIfStopped()
    const flushed = fence.check((await threads.run({ kind: 'flush', paths: [path] })).outcome)
    if (this.addIfDurable(id, loaded, flushed)) this.options.onFound(loaded)
    else if (!isUnflushed(flushed, path)) {
      this.markCorrupt(id, corruptFile(id, 'it could not be flushed to the disk, or changes', null, new Date()))
    }
  }

  private addIfDurable(id: string, loaded: StoredManifest, flushed: FileOutcome): boolean {
    const { identity } = loaded
    const path = this.options.directory.manifest(id)
    const isDurable = flushed.kind === 'done' && isSame(identityOf(nodeFs, path), identity)
    if (isDurable) this.add(id, loaded)
    // With its identity, so that it is not flushed again: only another file in its place is.
    else if (isUnflushed(flushed, path)) this.markCorrupt(id, corruptFile(id, UNFLUSHED, identity, new Date()))
    return isDurable
  }

  private async refuseIfThere(id: string): Promise<void> {
    await this.refreshNow(id)
    const { fence } = this.options
    fence.refuseIfStopped()
    const file = this.corrupted.get(id)
    if (file !== undefined) throw corrupt(id, file.listed.reason)
    if (!this.read.has(id)) return
    fence.refuseIfLost()
    throw alreadyThere(id)
  }

  private async change(change: FileChange): Promise<FileOutcome> {
    return this.options.fence.check((await runReported(this.options, change)).outcome)
  }

  private add(id: string, manifest: StoredManifest): void {
    this.read.set(id, this.options.open(id, manifest))
    this.corrupted.delete(id)
  }

  private markCorrupt(id: string, file: CorruptFile): void {
    const before = this.corrupted.get(id)
    this.corrupted.set(id, file)
    if (before?.listed.reason !== file.listed.reason) this.options.onCorrupt(id, file.listed.reason)
  }
}

function isUnflushed(outcome: FileOutcome, path: string): boolean {
  return outcome.kind === 'refused' && outcome.because === 'unflushed' && outcome.path === path
}
