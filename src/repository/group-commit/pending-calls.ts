import type { Campaign } from '../../domain/campaign/campaign.ts'
import type { RepositoryError } from '../repository-error.ts'
import type { WaitingCall } from './update-call.ts'
import { hasChanges, WriteBatch } from './write-batch.ts'

/** The calls of one campaign that are decided and not answered. */
export class PendingCalls {
  /** Changes for the next commit, and calls decided on them. */
  private open: WriteBatch | null = null
  /** Being committed. */
  private committing: WriteBatch | null = null
  /** Decided on the durable state, of which they change nothing. In a batch each failed commit would have them decided again. */
  private unchanged: WaitingCall[] = []

  /** The state that the next call is decided on. */
  newest(durable: Campaign): Campaign {
    return this.open?.campaign ?? this.committing?.campaign ?? durable
  }

  /** How many calls wait for the next commit. */
  get waiting(): number {
    return this.open?.size ?? 0
  }

  /** Takes in a call that was decided on the newest state. What cannot be encoded fails alone. */
  add(call: WaitingCall, newest: Campaign): void {
    if (!hasChanges(call)) {
      // It is answered with the commit of the state that it was decided on.
      // mutation: unchanged-answered-early
      // mutation: unchanged-answered-with-commit-before
      const seen = this.open ?? this.committing
      if (seen === null) this.unchanged.push(call)
      else seen.add(call)
      return
    }
    const batch = this.open ?? new WriteBatch(newest)
    try {
      batch.add(call)
      this.open = batch
    } catch (error) {
      call.fail(error)
    }
  }

  /** Whether calls that need no commit wait for an answer. */
  get hasUnchanged(): boolean {
    return this.unchanged.length > 0
  }

  /** What is to be committed next; null when nothing is. */
  takeBatch(): WriteBatch | null {
    this.committing = this.open
    this.open = null
    return this.committing
  }

  /** What was decided on the durable state. What comes later is not in it. */
  takeUnchanged(): readonly WaitingCall[] {
    const calls = this.unchanged
    this.unchanged = []
    return calls
  }

  /** The batch is durable. Calls that came while it was committed were decided after the last look at who owns the store. */
  settle(batch: WriteBatch, committed: number): void {
    this.committing = null
    this.unchanged.push(...batch.waiting.slice(committed))
  }

  /** What was decided on a state that did not become durable, the batch under way aside. */
  takeUndecided(): readonly WaitingCall[] {
    const calls = this.open?.waiting ?? []
    this.committing = this.open = null
    return calls
  }

  failAll(error: RepositoryError, committing: RepositoryError): void {
    const { committing: batch, open, unchanged } = this
    this.committing = this.open = null
    this.unchanged = []
    batch?.failAll(committing)
    open?.failAll(error)
    for (const call of unchanged) call.fail(error)
  }
}
