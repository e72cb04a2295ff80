import type { Campaign, Decision } from '../../domain/campaign/campaign.ts'
import type { CommitReport, RepositoryError, CampaignChange, ManifestDocument } from '../campaign-store.ts'
import { GroupCommitTimer } from './group-commit-timer.ts'
import type { CommitThreads } from '../file/commit/commit-threads.ts'
import type { DirectoryLock } from '../file/lock/directory-lock.ts'
import type { FileIdentity } from '../file/commit/file-identity.ts'
import type { FileChange, FileOutcome, JobReport } from '../file/commit/file-job.ts'
import type { ManifestBytes } from '../file/encoding/manifest-bytes.ts'
import type { LoadedManifest } from '../file/encoding/manifest-file.ts'
import { carryOutReported } from '../file/commit/reported-change.ts'
import { lockLost, notFound, outcomeUnknown, storeError } from '../file/store-error.ts'
import { UpdateCall } from './update-call.ts'
import { WriteBatch, type Waiting } from './write-batch.ts'

export interface StoredCampaignEvents {
  readonly onCommit: (event: CampaignChange) => void
  /** How a commit went, whether it became durable or not. */
  readonly onReport: (report: CommitReport) => void
  readonly onDeleted: () => void
  /** The file is not the one we left: it must not be written any more. */
  readonly onChangedOutside: () => void
  /** What is on disk cannot be told any more: stop. */
  readonly onDoubt: (reason: Error) => void
}

/** A change of the file, and what becomes of its callers then. */
interface Step {
  readonly change: FileChange
  /** How many shared it when it was begun. */
  readonly calls: number
  readonly settle: (report: JobReport) => void
}

interface Removal {
  readonly permit: (campaign: Campaign) => void
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * One campaign and its file.
 *
 * Group commit: while one batch is being written the next one gathers, each call decided at once on the newest state.
 * A call is answered when what it was decided on is durable, also when it changed nothing or was refused; so nothing
 * that could still vanish is ever told. Where that is durable already, a look at the lock tells that it still stands.
 */
export class StoredCampaign {
  private committed: { readonly campaign: Campaign; readonly bytes: ManifestBytes; readonly identity: FileIdentity }
  /** Changes for the next commit, and calls judged on them. */
  private open: WriteBatch | null = null
  /** Being written. */
  private writing: WriteBatch | null = null
  /** Judged on the durable state, of which they change nothing. Not in a batch: each failed write would have them judged anew. */
  private unchanged: Waiting[] = []
  private removals: Removal[] = []
  private readonly rhythm = new GroupCommitTimer()
  private scheduled = false
  private busy = false
  /** Why calls cannot be taken any more. */
  private ended: RepositoryError | null = null
  private onIdle: (() => void)[] = []

  constructor(
    private readonly path: string,
    loaded: LoadedManifest,
    private readonly threads: CommitThreads,
    private readonly lock: Pick<DirectoryLock, 'isOurs'>,
    private readonly tempPath: () => string,
    private readonly events: StoredCampaignEvents,
  ) {
    this.committed = loaded
  }

  /** The durable state. */
  get campaign(): Campaign {
    return this.committed.campaign
  }

  get document(): ManifestDocument {
    return this.committed
  }

  get identity(): FileIdentity {
    return this.committed.identity
  }

  update<T>(decide: (campaign: Campaign) => Decision<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.admit(new UpdateCall(decide, resolve, reject))
    })
  }

  remove(permit: (campaign: Campaign) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.ended !== null) {
        reject(this.ended)
        return
      }
      this.removals.push({ permit, resolve, reject })
      this.begin()
    })
  }

  /** Refuses all calls from now on, and all that wait; those being written with `written`, if given. */
  end(error: RepositoryError, written: RepositoryError = error): void {
    if (this.ended !== null) return
    this.ended = error
    const { writing, open, unchanged, removals } = this
    this.writing = this.open = null
    this.unchanged = []
    this.removals = []
    writing?.failAll(written)
    open?.failAll(error)
    for (const call of unchanged) call.fail(error)
    for (const { reject } of removals) reject(error)
  }

  /** Resolves when nothing is being written or waits for it. */
  async idle(): Promise<void> {
    while (this.busy || this.scheduled) await new Promise<void>((resolve) => this.onIdle.push(resolve))
  }

  private admit(call: Waiting): void {
    if (this.ended !== null) {
      call.fail(this.ended)
      return
    }
    call.judge(this.open?.campaign ?? this.writing?.campaign ?? this.committed.campaign)
    if (call.changes !== null) this.addChange(call)
    else {
      // mutation: unchanged-answered-early
      // mutation: unchanged-answered-with-commit-before
      const seen = this.open ?? this.writing
      if (seen === null) this.unchanged.push(call)
      else seen.add(call)
    }
    this.rhythm.onCall(this.waiting)
    this.begin()
  }

  private addChange(call: Waiting): void {
    const batch = this.open ?? new WriteBatch(this.writing?.campaign ?? this.committed.campaign)
    try {
      batch.add(call)
      this.open = batch
    } catch (error) {
      call.fail(error)
    }
  }

  /** How many calls wait for the next commit. */
  private get waiting(): number {
    return this.open?.size ?? 0
  }

  /** At once when enough calls wait, else at the end of this turn of the event loop: what arrives in it shares the commit. */
  private begin(): void {
    if (this.busy) return
    if (this.waiting >= this.rhythm.minimumBatch) void this.work()
    else if (!this.scheduled) {
      this.scheduled = true
      setImmediate(() => {
        this.scheduled = false
        void this.work()
      })
    }
  }

  private async work(): Promise<void> {
    if (this.busy) return
    this.busy = true
    for (;;) {
      this.answerUnchanged()
      if (this.isToGather) await this.rhythm.waitForMore(() => this.waiting)
      const step = this.nextStep()
      if (step === null) break
      const { onReport } = this.events
      step.settle(await carryOutReported(this.threads, step.change, { calls: step.calls, onReport }))
      // What waits by the end of the turn is begun before the answers to this are sent, so that the disk works meanwhile: at
      // 10,000 experiments 256 writers got 1.07 times as many updates by it.
      if (this.waiting < this.rhythm.minimumBatch) await endOfTurn()
    }
    this.busy = false
    for (const resolve of this.onIdle.splice(0)) resolve()
  }

  private get isToGather(): boolean {
    return this.removals.length === 0 && this.open !== null && this.rhythm.isWaitWorthwhile
  }

  /** What the file is to be changed to next; null when nothing waits for that. */
  private nextStep(): Step | null {
    if (this.ended !== null) return null
    for (let removal = this.removals.shift(); removal !== undefined; removal = this.removals.shift()) {
      if (this.isPermitted(removal)) return this.removalStep(removal)
    }
    const batch = this.open
    this.open = null
    return batch === null ? null : this.commitStep(batch)
  }

  private answerUnchanged(): void {
    if (this.unchanged.length === 0 || !this.isStillOurs()) return
    for (const call of this.unchanged.splice(0)) call.answer()
  }

  /**
   * Looks at the lock for calls whose judgement no later write checks: without it somebody else may have changed what they were
   * judged on. When it is false, the calls in here have been failed.
   */
  private isStillOurs(): boolean {
    // mutation: no-lock-check-without-write
    const isOurs = this.lock.isOurs()
    if (!isOurs) this.events.onDoubt(lockLost())
    return isOurs
  }

  private commitStep(batch: WriteBatch): Step {
    const { path, committed } = this
    // mutation: answer-before-rename
    const bytes = batch.bytesOn(committed.bytes)
    const calls = batch.size
    this.writing = batch
    return {
      change: { kind: 'replace', path, temp: this.tempPath(), parts: bytes.parts, expected: committed.identity },
      calls,
      settle: ({ outcome, milliseconds }) => {
        if (this.ended !== null) return
        if (outcome.kind !== 'done' || outcome.identity === null) {
          this.fail(outcome, batch)
          return
        }
        // Who came while it was written may have been judged after the last look at the lock.
        if (batch.size > calls && !this.isStillOurs()) return
        this.committed = { campaign: batch.campaign, bytes, identity: outcome.identity }
        this.writing = null
        this.rhythm.onCommitted({ answered: batch.size, waiting: this.waiting, took: milliseconds })
        batch.answer()
        const { campaign, experiments } = batch
        this.events.onCommit({ type: 'changed', previous: committed.campaign, campaign, experiments })
      },
    }
  }

  /** The batch did not become durable: the newest state is the committed one again. */
  private fail(outcome: FileOutcome, batch: WriteBatch): void {
    if (this.stopsAt(outcome)) return
    const next = this.open
    this.writing = this.open = null
    const again = [...batch.failChanges(storeError(outcome)), ...(next?.waiting ?? [])]
    for (const call of again) this.admit(call)
  }

  private isPermitted({ permit, reject }: Removal): boolean {
    try {
      permit(this.committed.campaign)
      return true
    } catch (error) {
      reject(this.isStillOurs() ? error : this.ended)
      return false
    }
  }

  private removalStep({ resolve, reject }: Removal): Step {
    const { campaign_id } = this.committed.campaign.header
    return {
      change: { kind: 'delete', path: this.path, expected: this.committed.identity },
      calls: 1,
      settle: ({ outcome }) => {
        if (this.ended !== null || outcome.kind === 'unknown') {
          reject(outcomeUnknown('the store failed while the campaign was being deleted'))
          this.stopsAt(outcome)
        } else if (outcome.kind === 'done') {
          this.events.onDeleted()
          this.end(notFound(campaign_id))
          resolve()
          this.events.onCommit({ type: 'deleted', campaign_id })
        } else {
          this.stopsAt(outcome)
          reject(this.refusal(outcome))
        }
      },
    }
  }

  private refusal(outcome: FileOutcome): RepositoryError {
    return this.ended ?? storeError(outcome)
  }

  /** True when the outcome leaves no way to go on. */
  private stopsAt(outcome: FileOutcome): boolean {
    if (outcome.kind === 'lock-lost') this.events.onDoubt(lockLost())
    else if (outcome.kind === 'unknown') this.events.onDoubt(new Error(outcome.detail))
    else if (outcome.kind === 'refused' && outcome.because === 'changed-outside') this.events.onChangedOutside()
    else return false
    return true
  }
}

/** When all is handled that this turn of the event loop brought, and nothing is sent yet that was made ready in it. */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
