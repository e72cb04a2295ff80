import type { Campaign, Decide } from '../../domain/campaign/campaign.ts'
import type { CampaignManifest } from '../../domain/campaign/manifest.ts'
import { newCampaign } from '../../domain/operations/create.ts'
import {
  type CampaignPage,
  type CampaignQuery,
  type CorruptCampaign,
  pageOfCampaigns,
} from '../../domain/views/campaign-list.ts'
import {
  type CampaignOverview,
  type CorruptOverview,
  corruptOverviewOf,
  overviewOf,
} from '../../domain/views/campaign-overview.ts'
import type {
  CampaignChange,
  CampaignStore,
  Committed,
  DeleteOptions,
  OverviewChange,
  Readiness,
  Unsubscribe,
} from '../campaign-store.ts'
import { ChangeFeed } from '../change-feed.ts'
import type { CommitReport } from '../commit-report.ts'
import { CampaignCommits } from '../group-commit/campaign-commits.ts'
import { corrupt } from '../repository-error.ts'
import type { CommitThreads } from './commit/commit-threads.ts'
import { lockLost } from './commit/system-error.ts'
import { CommitProbe } from './commit-probe.ts'
import type { DataDirectory } from './data-directory.ts'
import type { StoredManifest } from './encoding/manifest-file.ts'
import { Fence } from './fence.ts'
import { FileCommitTarget } from './file-commit-target.ts'
import { MemoryLeaseBook } from './leases/memory-lease-book.ts'
import type { DirectoryLock } from './lock/directory-lock.ts'
import { ManifestFiles } from './manifest-files.ts'

/** Opened by `open-file-store.ts`, in the right order. */
export interface FileStoreParts {
  readonly directory: DataDirectory
  readonly lock: DirectoryLock
  readonly threads: CommitThreads
}

export interface FileStoreOptions {
  /** The present: RFC 3339, UTC. */
  readonly now: () => string
  /** Milliseconds from any origin, never going back. */
  readonly monotonic: () => number
  /** A corrupt file was found; it is left alone. */
  readonly onCorrupt: (id: string, reason: string) => void
  /** Bytes that a manifest may have. */
  readonly maxCampaignBytes: number
  /** Aborts when the service stops: long work that is not decided yet is given up then, with its reason. */
  readonly stopping: AbortSignal
  /** So many experiments of a campaign were cut, durably, to make room in its manifest. */
  readonly onShrunk: (campaign: Campaign, experiments: number) => void
  /** How a commit went, durable or not; before its calls are answered. */
  readonly onCommit: (report: CommitReport) => void
  /** The store stopped for good: the process must end, non-zero, without releasing the lock. */
  readonly onFatal: (reason: Error) => void
}

/** Campaigns as JSON files in a directory that this process owns. Reads come from memory. */
export class FileStore implements CampaignStore {
  readonly leases: MemoryLeaseBook
  private readonly files: ManifestFiles
  private readonly feed = new ChangeFeed()
  private readonly fence: Fence
  private readonly probe: CommitProbe
  private readonly options: FileStoreOptions
  private closing: Promise<void> | null = null

  constructor(
    private readonly parts: FileStoreParts,
    given: FileStoreOptions,
  ) {
    const options = { ...given, onCommit: (report: CommitReport) => this.onCommit(report, given) }
    this.options = options
    this.leases = new MemoryLeaseBook(options.monotonic)
    this.probe = new CommitProbe(parts.threads, () => parts.directory.probeTemp())
    this.fence = new Fence(parts.lock, (reason, waiting, committing) => {
      parts.threads.stop()
      for (const commits of this.files.campaigns) commits.end(waiting, committing)
      options.onFatal(reason)
    })
    this.files = new ManifestFiles({
      ...parts,
      ...options,
      fence: this.fence,
      open: (id, manifest) => this.open(id, manifest),
      onFound: ({ campaign, encoded }) => this.publish({ type: 'created', campaign, encoded }),
    })
  }

  async create(manifest: CampaignManifest): Promise<Committed> {
    const { maxCampaignBytes, onShrunk } = this.options
    const { created, shrunk } = await this.files.create(manifest.campaign_id, () =>
      newCampaign(manifest, maxCampaignBytes),
    )
    const { campaign, encoded } = created
    if (shrunk > 0) onShrunk(campaign, shrunk)
    this.publish({ type: 'created', campaign, encoded })
    return created
  }

  async read(id: string): Promise<Committed> {
    return (await this.files.find(id)).committed
  }

  async list(query: CampaignQuery): Promise<CampaignPage> {
    return pageOfCampaigns(await this.all(), query)
  }

  async overviews(): Promise<readonly (CampaignOverview | CorruptOverview)[]> {
    return (await this.all()).map((one) => ('header' in one ? overviewOf(one) : corruptOverviewOf(one)))
  }

  update<T>(id: string, decide: Decide<T>): Promise<T> {
    const commits = this.files.get(id)
    if (commits === undefined || this.fence.isStopped) return this.findAndUpdate(id, decide)
    // Not an async function: its promise would be settled three turns of the microtask queue later.
    return commits.update(decide)
  }

  async delete(id: string, { permit, force }: DeleteOptions): Promise<void> {
    await this.files.refresh(id)
    this.fence.refuseIfStopped()
    if (this.files.corrupt(id) === undefined) {
      const commits = await this.files.find(id)
      this.fence.refuseIfStopped()
      try {
        await commits.remove(permit)
        return
      } catch (error) {
        // Only now found to be another file than the one we left: with `force` it is moved aside.
        if (!force || this.files.corrupt(id) === undefined) throw error
      }
    }
    await this.files.moveAside(id, force)
    this.publish({ type: 'deleted', campaign_id: id })
  }

  watch(id: string, listener: (change: CampaignChange) => void): Unsubscribe {
    return this.feed.watch(id, listener)
  }

  watchAll(listener: (change: OverviewChange) => void): Unsubscribe {
    return this.feed.watchAll(listener)
  }

  async readiness(): Promise<Readiness> {
    const before = this.fence.readiness()
    if (!before.ready) return before
    const found = await this.probe.readiness()
    const after = this.fence.readiness()
    return after.ready ? found : after
  }

  /** Seconds since the lock was refreshed; infinite once it is not ours any more. */
  lockAge(): number {
    return this.parts.lock.age() / 1000
  }

  close(): Promise<void> {
    this.fence.close()
    this.closing ??= this.finish()
    return this.closing
  }

  /** Reads the manifests, at a start. Every committed lease begins a full period. */
  async load(): Promise<void> {
    await this.files.readAll()
    for (const { committed } of this.files.campaigns) this.leases.observe({ type: 'created', ...committed })
  }

  /** The store is in doubt: nothing is acknowledged from here on. */
  failStop(reason: Error): void {
    this.fence.failStop(reason)
  }

  private async finish(): Promise<void> {
    await this.files.idle()
    await Promise.all(this.files.campaigns.map((commits) => commits.idle()))
    await this.parts.threads.close()
    if (this.fence.hasFailed) return
    this.parts.directory.closeTrash()
    await this.parts.lock.release()
  }

  private async all(): Promise<(Campaign | CorruptCampaign)[]> {
    await this.files.scan()
    const campaigns = this.files.campaigns.map(({ committed }) => committed.campaign)
    return [...campaigns, ...this.files.corruptFiles.map(({ listed }) => listed)]
  }

  private async findAndUpdate<T>(id: string, decide: Decide<T>): Promise<T> {
    const commits = await this.files.find(id)
    this.fence.refuseIfStopped()
    return commits.update(decide)
  }

  private open(id: string, committed: StoredManifest): CampaignCommits<StoredManifest> {
    const commits = new CampaignCommits({
      committed,
      target: this.targetOf(id),
      ...{ now: this.options.now, stopping: this.options.stopping },
      events: {
        onChange: (change) => this.publish(change),
        onRemoved: () => this.files.remove(id),
        onQuarantined: (reason) => {
          this.files.quarantine(id, reason)
          commits.end(corrupt(id, reason))
          this.publish({ type: 'corrupted', campaign_id: id })
        },
        onLost: () => this.fence.failStop(lockLost()),
        onInDoubt: (reason) => this.fence.failStop(reason),
      },
    })
    return commits
  }

  private targetOf(id: string): FileCommitTarget {
    const { directory, threads, lock } = this.parts
    const paths = { path: directory.manifest(id), tempPath: directory.temps(id) }
    return new FileCommitTarget({ ...paths, threads, lock, onCommit: this.options.onCommit })
  }

  private onCommit(report: CommitReport, { onCommit }: FileStoreOptions): void {
    this.probe.committed(report)
    onCommit(report)
  }

  private publish(change: CampaignChange): void {
    this.leases.observe(change)
    if (change.type === 'changed' && change.shrunk > 0) this.options.onShrunk(change.campaign, change.shrunk)
    this.feed.emit(change)
  }
}
