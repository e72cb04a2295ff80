import { Campaign, type Decision } from '../../domain/campaign/campaign.ts'
import {
  pageOfCampaigns,
  type CampaignPage,
  type CampaignQuery,
  type CorruptCampaign,
} from '../../domain/views/campaign-list.ts'
import { overviewOf, type CampaignOverview } from '../../domain/views/campaign-overview.ts'
import type { CampaignManifest } from '../../domain/campaign/manifest.ts'
import type {
  CommitReport,
  RepositoryError,
  CampaignChange,
  ManifestDocument,
  CampaignStore,
  Unsubscribe,
} from '../campaign-store.ts'
import { ChangeFeed } from '../change-feed.ts'
import type { CommitThreads } from './commit/commit-threads.ts'
import type { DataDirectory } from './data-directory.ts'
import type { DirectoryLock } from './lock/directory-lock.ts'
import { identityOf, isSame } from './commit/file-identity.ts'
import type { FileChange, FileOutcome } from './commit/file-job.ts'
import * as nodeFs from 'node:fs'
import { ManifestBytes } from './encoding/manifest-bytes.ts'
import { corruptFile, loadManifest, type CorruptFile, type LoadedManifest } from './encoding/manifest-file.ts'
import { carryOutReported } from './commit/reported-change.ts'
import { alreadyThere, corrupt, lockLost, notFound, outcomeUnknown, stopping, storeError } from './store-error.ts'
import { StoredCampaign } from '../group-commit/group-commit.ts'
import { KeyedMutex } from './keyed-mutex.ts'

/** How long a look at the directory for files that were put there by hand is good, in milliseconds. */
const SCAN_MS = 1000

/** All that a caller is told: what the system says has paths in it, and is for the log. */
const FAILED = 'it failed, and the log tells how'

/** What the repository stands on; see `open-file-repository.ts`, which brings it up in the right order. */
export interface FileStoreParts {
  readonly directory: DataDirectory
  readonly lock: DirectoryLock
  readonly threads: CommitThreads
}

export interface FileStoreEvents {
  /** A file that cannot be trusted was found; it is left alone. */
  readonly onCorrupt: (id: string, reason: string) => void
  /** How a commit went, whether it became durable or not; told before its calls are answered. */
  readonly onCommit: (report: CommitReport) => void
  /** The store stopped for good: the process must end, non-zero, without releasing the lock. */
  readonly onFatal: (reason: Error) => void
}

/** Campaigns as JSON files in a directory that this process owns. Reads come from memory. */
export class FileStore implements CampaignStore {
  private readonly stored = new Map<string, StoredCampaign>()
  private readonly corrupted = new Map<string, CorruptFile>()
  /** Creations and first looks at a file, by id: what else wants that id waits for them. */
  private readonly mutex = new KeyedMutex()
  private readonly feed = new ChangeFeed()
  private closing: Promise<void> | null = null
  /** Why the store can be trusted no more; it never can again. */
  private failed: RepositoryError | null = null
  private scannedAt = -Infinity

  constructor(
    private readonly store: FileStoreParts,
    private readonly events: FileStoreEvents,
  ) {}

  async create(manifest: CampaignManifest): Promise<Campaign> {
    const campaign = Campaign.of(manifest)
    await this.mutex.run(manifest.campaign_id, () => this.writeNew(manifest.campaign_id, campaign))
    this.feed.emit({ type: 'created', campaign })
    return campaign
  }

  async read(id: string): Promise<Campaign> {
    return (await this.find(id)).campaign
  }

  async readDocument(id: string): Promise<ManifestDocument> {
    return (await this.find(id)).document
  }

  async list(query: CampaignQuery): Promise<CampaignPage> {
    return pageOfCampaigns(await this.all(), query)
  }

  async overviews(): Promise<readonly CampaignOverview[]> {
    return (await this.all()).map(overviewOf)
  }

  update<T>(id: string, decide: (campaign: Campaign) => Decision<T>): Promise<T> {
    const stored = this.stored.get(id)
    if (stored === undefined || this.isStopped) return this.findAndUpdate(id, decide)
    // Not in an async function, of which the promise is settled three turns after the one that it returns.
    return stored.update(decide)
  }

  async delete(id: string, { permit, force }: { permit: (campaign: Campaign) => void; force: boolean }): Promise<void> {
    await this.look(id)
    this.refuseIfStopped()
    if (!this.corrupted.has(id)) {
      const stored = await this.find(id)
      this.refuseIfStopped()
      try {
        await stored.remove(permit)
        return
      } catch (error) {
        // Only now found to be another file than the one we left: what was asked for is moving it aside.
        if (!force || !this.corrupted.has(id)) throw error
      }
    }
    await this.mutex.run(id, () => this.setAside(id, force))
    this.feed.emit({ type: 'deleted', campaign_id: id })
  }

  subscribe(listener: (event: CampaignChange) => void): Unsubscribe {
    return this.feed.subscribe(listener)
  }

  readiness(): { ready: true } | { ready: false; reason: string } {
    if (this.failed !== null) return { ready: false, reason: FAILED }
    if (this.closing !== null) return { ready: false, reason: 'it is closing' }
    return this.store.lock.isOurs() ? { ready: true } : { ready: false, reason: lockLost().message }
  }

  /** Seconds since the lock was refreshed, as whoever waits for it sees it; infinite once it is not ours any more. */
  lockAge(): number {
    return this.store.lock.age() / 1000
  }

  close(): Promise<void> {
    this.closing ??= this.finish()
    return this.closing
  }

  /** Reads every manifest that lies in the directory, at a start: a thread flushes them while they are parsed here. */
  async load(): Promise<void> {
    const { directory, threads } = this.store
    const ids = directory.ids()
    const flush = threads.run({ kind: 'flush', paths: ids.map((id) => directory.manifest(id)) })
    const loads: [string, LoadedManifest | CorruptFile | null][] = []
    for (const id of ids) loads.push([id, await loadManifest(directory.manifest(id), id)])
    const flushed = (await flush).outcome.kind === 'done'
    for (const [id, loaded] of loads) {
      const isSettled = flushed && loaded !== null && 'campaign' in loaded
      if (isSettled && isSame(identityOf(nodeFs, directory.manifest(id)), loaded.identity)) this.take(id, loaded)
      else await this.look(id)
    }
  }

  /**
   * The fence: nothing is acknowledged from here on, and nothing that waits will be. Synchronous, so that no answer
   * slips out behind it.
   */
  failStop(reason: Error): void {
    if (this.failed !== null) return
    this.failed = stopping(FAILED)
    this.store.lock.abandon()
    const unknown = outcomeUnknown(FAILED)
    for (const stored of this.stored.values()) stored.end(this.failed, unknown)
    this.events.onFatal(reason)
  }

  private async finish(): Promise<void> {
    await this.mutex.over()
    await Promise.all([...this.stored.values()].map((stored) => stored.idle()))
    await this.store.threads.close()
    if (this.failed !== null) return
    this.store.directory.closeTrash()
    await this.store.lock.release()
  }

  private async all(): Promise<(Campaign | CorruptCampaign)[]> {
    await this.scan()
    const campaigns = [...this.stored.values()].map(({ campaign }) => campaign)
    const corrupt = [...this.corrupted.values()].map(({ listed }) => listed)
    return [...campaigns, ...corrupt]
  }

  private async find(id: string): Promise<StoredCampaign> {
    const stored = this.stored.get(id)
    if (stored !== undefined) return stored
    await this.look(id)
    const found = this.stored.get(id)
    if (found !== undefined) return found
    const file = this.corrupted.get(id)
    throw file === undefined ? notFound(id) : corrupt(id, file.listed.reason)
  }

  private async findAndUpdate<T>(id: string, decide: (campaign: Campaign) => Decision<T>): Promise<T> {
    const stored = await this.find(id)
    this.refuseIfStopped()
    return stored.update(decide)
  }

  private async look(id: string): Promise<void> {
    if (this.stored.has(id)) return
    await this.mutex.run(id, () => this.lookNow(id))
  }

  /** Takes in what lies on disk under the id, if it is not known, or if it was corrupt and is another file now. */
  private async lookNow(id: string): Promise<void> {
    if (this.stored.has(id)) return
    const path = this.store.directory.manifest(id)
    const known = this.corrupted.get(id)?.identity ?? null
    if (known !== null && isSame(identityOf(nodeFs, path), known)) return
    const loaded = await loadManifest(path, id)
    if (loaded === null) this.corrupted.delete(id)
    else if ('listed' in loaded) this.quarantine(id, loaded)
    else if (await this.isHereToStay(path, loaded)) {
      this.take(id, loaded)
      this.feed.emit({ type: 'created', campaign: loaded.campaign })
    } else this.quarantine(id, corruptFile(id, 'it could not be flushed to the disk, or changes', null, new Date()))
  }

  /** It may have been put there by hand, or written by a run that did not flush: what is told of it must be durable. */
  private async isHereToStay(path: string, { identity }: LoadedManifest): Promise<boolean> {
    const flushed = this.judge((await this.store.threads.run({ kind: 'flush', paths: [path] })).outcome)
    return flushed.kind === 'done' && isSame(identityOf(nodeFs, path), identity)
  }

  private async writeNew(id: string, campaign: Campaign): Promise<void> {
    await this.lookNow(id)
    this.refuseIfStopped()
    const file = this.corrupted.get(id)
    if (file !== undefined) throw corrupt(id, file.listed.reason)
    if (this.stored.has(id)) {
      this.refuseIfLost()
      throw alreadyThere(id)
    }
    const { directory } = this.store
    const bytes = ManifestBytes.of(campaign)
    const path = directory.manifest(id)
    const outcome = await this.carryOut({ kind: 'create', path, temp: directory.temps(id)(), parts: bytes.parts })
    if (outcome.kind === 'done' && outcome.identity !== null) {
      this.take(id, { campaign, bytes, identity: outcome.identity })
      return
    }
    if (outcome.kind === 'refused' && outcome.because === 'exists') throw alreadyThere(id)
    throw storeError(outcome)
  }

  private async setAside(id: string, force: boolean): Promise<void> {
    const file = this.corrupted.get(id)
    if (file === undefined) throw notFound(id)
    if (!force) throw corrupt(id, file.listed.reason)
    this.refuseIfStopped()
    const { directory } = this.store
    const outcome = await this.carryOut({ kind: 'move', path: directory.manifest(id), to: directory.aside(id) })
    if (outcome.kind !== 'done') throw storeError(outcome)
    this.corrupted.delete(id)
  }

  private take(id: string, loaded: LoadedManifest): void {
    const { directory, threads, lock } = this.store
    const path = directory.manifest(id)
    const stored = new StoredCampaign(path, loaded, threads, lock, directory.temps(id), {
      onCommit: (event) => {
        this.feed.emit(event)
      },
      onReport: this.events.onCommit,
      onDeleted: () => this.stored.delete(id),
      onChangedOutside: () => {
        const reason = 'it was changed from outside while the service ran'
        this.quarantine(id, corruptFile(id, reason, identityOf(nodeFs, path), new Date()))
        this.stored.delete(id)
        stored.end(corrupt(id, reason))
        this.feed.emit({ type: 'corrupted', campaign_id: id })
      },
      onDoubt: (reason) => {
        this.failStop(reason)
      },
    })
    this.stored.set(id, stored)
    this.corrupted.delete(id)
  }

  private quarantine(id: string, file: CorruptFile): void {
    const before = this.corrupted.get(id)
    this.corrupted.set(id, file)
    if (before?.listed.reason !== file.listed.reason) this.events.onCorrupt(id, file.listed.reason)
  }

  /** A commit that answers one call. Throws as `judge` does. */
  private async carryOut(change: FileChange): Promise<FileOutcome> {
    const { onCommit } = this.events
    const { outcome } = await carryOutReported(this.store.threads, change, { calls: 1, onReport: onCommit })
    return this.judge(outcome)
  }

  /** @throws RepositoryError when it left the store in doubt, or when something else did meanwhile */
  private judge(outcome: FileOutcome): FileOutcome {
    if (outcome.kind === 'lock-lost') this.failStop(lockLost())
    if (outcome.kind === 'unknown') this.failStop(new Error(outcome.detail))
    if (this.failed !== null) throw outcomeUnknown(FAILED)
    return outcome
  }

  private async scan(): Promise<void> {
    if (performance.now() - this.scannedAt < SCAN_MS) return
    this.scannedAt = performance.now()
    for (const id of this.store.directory.ids()) await this.look(id)
  }

  private get isStopped(): boolean {
    return this.failed !== null || this.closing !== null
  }

  /** Before an answer from memory, which may be old once the lock is lost. */
  private refuseIfLost(): void {
    if (!this.store.lock.isOurs()) this.failStop(lockLost())
    this.refuseIfStopped()
  }

  private refuseIfStopped(): void {
    if (this.failed !== null) throw this.failed
    if (this.closing !== null) throw stopping('it is closing')
  }
}
