/**
 * - `durable`: done
 * - `refused`: what is stored is not what it was to replace. Nothing was changed
 * - `full`, `failed`: the store could not write it: for lack of room, or otherwise. Nothing was changed
 * - `lock_lost`: another process owns the store. Nothing was changed
 * - `unknown`: it may or may not be there
 */
export const COMMIT_OUTCOMES = ['durable', 'refused', 'full', 'failed', 'lock_lost', 'unknown'] as const

/** How one commit went, also one that creates or deletes. For logs and metrics. */
export interface CommitReport {
  readonly outcome: (typeof COMMIT_OUTCOMES)[number]
  /** From its begin to its outcome, with the wait for commits of other campaigns. */
  readonly seconds: number
  readonly calls: number
  readonly bytes: number
}
