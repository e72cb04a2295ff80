import { inTurns } from '../../runtime/turns.ts'
import type { CommitReport } from '../commit-report.ts'
import type { Commit, CommitFailure, CommitOutcome, CommitTarget, RemoveOutcome } from '../commit-target.ts'
import type { CommitThreads } from './commit/commit-threads.ts'
import type { FileOutcome } from './commit/file-job.ts'
import { runReported } from './commit/reported-change.ts'
import { endOf, systemError } from './commit/system-error.ts'
import type { StoredManifest } from './encoding/manifest-file.ts'
import type { DirectoryLock } from './lock/directory-lock.ts'

export interface FileCommitTargetOptions {
  /** Of the manifest. */
  readonly path: string
  /** A new name each time, for the next version of the manifest. */
  readonly tempPath: () => string
  readonly threads: Pick<CommitThreads, 'run'>
  readonly lock: Pick<DirectoryLock, 'isOurs'>
  readonly onCommit: (report: CommitReport) => void
}

/** One campaign's file: a commit replaces it, by a rename, in a thread. */
export class FileCommitTarget implements CommitTarget<StoredManifest> {
  constructor(private readonly options: FileCommitTargetOptions) {}

  async commit(base: StoredManifest, { campaign, lines, calls }: Commit): Promise<CommitOutcome<StoredManifest>> {
    const { path, tempPath } = this.options
    const encoding = inTurns(base.encoded.with(campaign, lines))
    const encoded = encoding instanceof Promise ? await encoding : encoding
    const change = { kind: 'replace', path, temp: tempPath(), parts: encoded.parts, expected: base.identity } as const
    const { outcome, milliseconds } = await runReported(this.options, change, calls)
    if (outcome.kind !== 'done' || outcome.identity === null) return failureOf(outcome)
    return { kind: 'durable', committed: { campaign, encoded, identity: outcome.identity }, milliseconds }
  }

  async remove({ identity }: StoredManifest): Promise<RemoveOutcome<StoredManifest>> {
    const { path } = this.options
    const { outcome } = await runReported(this.options, { kind: 'delete', path, expected: identity })
    return outcome.kind === 'done' ? { kind: 'removed' } : failureOf(outcome)
  }

  /** Only this process writes while the lock is ours, so one check of it is enough. */
  confirm(): 'newest' | 'lost' {
    // mutation: no-lock-check-without-write
    return this.options.lock.isOurs() ? 'newest' : 'lost'
  }
}

function failureOf(outcome: FileOutcome): CommitFailure<StoredManifest> {
  const end = endOf(outcome)
  if (end !== null) return { kind: 'in-doubt', reason: end }
  if (outcome.kind !== 'refused') {
    return { kind: 'in-doubt', reason: new Error('the file was written, but its identity is not known') }
  }
  return outcome.because === 'changed-outside'
    ? { kind: 'quarantined', reason: 'it was changed from outside while the service ran' }
    : { kind: 'refused', error: systemError(outcome) }
}
