import type { Readiness } from '../campaign-store.ts'
import { outcomeUnknown, type RepositoryError, unavailable } from '../repository-error.ts'
import type { FileOutcome } from './commit/file-job.ts'
import { endOf, lockLost } from './commit/system-error.ts'
import type { DirectoryLock } from './lock/directory-lock.ts'

/** All that a caller learns: the message of the system has paths in it, and is for the log. */
const FAILED = 'it failed, and the log says how'

/** Whether the store may still answer. Once it fails it acknowledges nothing, also of what waits; it never opens again. */
export class Fence {
  private failure: RepositoryError | null = null
  private isClosing = false

  /** @param onFailed rejects what waits and what is being committed, and ends the process */
  constructor(
    private readonly lock: DirectoryLock,
    private readonly onFailed: (reason: Error, waiting: RepositoryError, committing: RepositoryError) => void,
  ) {}

  /** Synchronous, so that nothing is answered after it. */
  failStop(reason: Error): void {
    if (this.failure !== null) return
    this.failure = unavailable(FAILED)
    this.lock.abandon()
    this.onFailed(reason, this.failure, outcomeUnknown(FAILED))
  }

  /** No call is accepted from now on. */
  close(): void {
    this.isClosing = true
  }

  get hasFailed(): boolean {
    return this.failure !== null
  }

  get isStopped(): boolean {
    return this.hasFailed || this.isClosing
  }

  readiness(): Readiness {
    if (this.hasFailed) return { ready: false, reason: FAILED }
    if (this.isClosing) return { ready: false, reason: 'it is closing' }
    return this.lock.isOurs() ? { ready: true } : { ready: false, reason: lockLost().message }
  }

  /** @throws RepositoryError `store-unavailable` */
  refuseIfStopped(): void {
    if (this.failure !== null) throw this.failure
    if (this.isClosing) throw unavailable('it is closing')
  }

  /** Before an answer from memory, which may be old once the lock is lost. Throws as `refuseIfStopped` does. */
  refuseIfLost(): void {
    if (!this.lock.isOurs()) this.failStop(lockLost())
    this.refuseIfStopped()
  }

  /** @throws RepositoryError `durability-unknown` when this outcome, or another meanwhile, leaves the store in doubt */
  check(outcome: FileOutcome): FileOutcome {
    const end = endOf(outcome)
    if (end !== null) this.failStop(end)
    if (this.hasFailed) throw outcomeUnknown(FAILED)
    return outcome
  }
}
