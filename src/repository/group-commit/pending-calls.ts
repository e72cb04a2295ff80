import type { Campaign } from '../../domain/campaign/campaign.ts'
import type { RepositoryError } from '../repository-error.ts'
import type { WaitingCall } from './update-call.ts'
import { hasChanges, WriteBatch } from './write-batch.ts'

/** The calls of one campaign that are decided and not answered. */
export class PendingCalls {
  /** Changes for the next commit, and calls decided on them. */
  private open: WriteBatch | null = null
  private committing: WriteBatch | null = null
  /** Decided on the durable state without a change. In a batch each failed commit would have them decided again. */
  private unchanged: WaitingCall[] = []

  /** The state that the next call is decided on. */
  newest(durable: Campaign): Campaign {
    return this.open?.campaign ?? this.committing?.campaign ?? durable
  }

  /** How many calls wait for the next commit. */
  get waiting(): number {
    return this.open?.waiting.length ?? 0
  }

  /** Whether calls that need no commit wait for an answer. */
  get hasUnchanged(): boolean {
    return this.unchanged.length > 0
  }

  /** Adds a call that was decided on the newest state. What cannot be encoded fails alone. */
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

  /** What was decided on a state that did not become durable, without the batch that was being committed. */
  takeOutdated(): readonly WaitingCall[] {
    const calls = this.open?.waiting ?? []
    this.committing = this.open = null
    return calls
  }

  /** The batch is durable. Calls that joined it during the commit were decided after the lock was last checked. */
  onDurable(batch: WriteBatch, committed: number): void {
    this.committing = null
    this.unchanged.push(...batch.waiting.slice(committed))
  }

  failAll(error: RepositoryError, committing: RepositoryError): void {
    this.committing?.failAll(committing)
    for (const call of [...this.takeUnchanged(), ...this.takeOutdated()]) call.fail(error)
  }
}
