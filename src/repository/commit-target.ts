import type { Campaign } from '../domain/campaign/campaign.ts'
import type { Committed } from './campaign-store.ts'
import type { MaybePromise } from './maybe-promise.ts'
import type { RepositoryError } from './repository-error.ts'

/** What is to replace a committed state. */
export interface Commit {
  readonly campaign: Campaign
  /** JSON of the experiments that changed or are new, by position; new positions follow the last one without a gap. */
  readonly lines: ReadonlyMap<number, string>
  /** How many calls share it, for the report of the commit. */
  readonly calls: number
}

export type CommitFailure<State extends Committed> =
  /** Another process committed first; this is the newest state, on which all has to be decided again. */
  | { readonly kind: 'superseded'; readonly head: State }
  /** Nothing was changed, and nothing is in doubt: the callers get the error. */
  | { readonly kind: 'refused'; readonly error: RepositoryError }
  /** The campaign was deleted by another process. */
  | { readonly kind: 'gone' }
  /** What is stored is not what was committed last, and must not be written any more. */
  | { readonly kind: 'quarantined'; readonly reason: string }
  /** What is durable cannot be known, or may not be changed by this process any more. */
  | { readonly kind: 'in-doubt'; readonly reason: Error }

export type CommitOutcome<State extends Committed> =
  /** It survives a crash of the process and a power cut. It kept the store busy for `milliseconds`. */
  { readonly kind: 'durable'; readonly committed: State; readonly milliseconds: number } | CommitFailure<State>

export type RemoveOutcome<State extends Committed> = { readonly kind: 'removed' } | CommitFailure<State>

/**
 * One campaign in a store: where a group commit puts its batches, one commit or removal at a time. No call rejects: what goes wrong
 * is an outcome.
 */
export interface CommitTarget<State extends Committed> {
  /** Makes `next` durable in place of `base`, whole or not at all; not when something else than `base` is there. */
  commit(base: State, next: Commit): Promise<CommitOutcome<State>>

  /** Makes it durable that there is no such campaign; not when something else than `base` is there. */
  remove(base: State): Promise<RemoveOutcome<State>>

  /**
   * Whether `base` is still the newest state at some moment after the call began, for what is answered without a commit. `lost`:
   * this process may not answer for the campaign any more.
   */
  confirm(base: State): MaybePromise<'newest' | 'lost' | State>
}
