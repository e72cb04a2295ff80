/**
 * - `durable`: done
 * - `refused`: what is there is not what it was to follow on. Nothing was changed
 * - `full`, `failed`: the store could not write it: for lack of room, or otherwise. Nothing was changed
 * - `lock_lost`: another process owns the store. Nothing was changed
 * - `unknown`: it may or may not be there
 */
export const COMMIT_OUTCOMES = ['durable', 'refused', 'full', 'failed', 'lock_lost', 'unknown'] as const

/** How one commit went, by which a campaign was to be created, changed or deleted. For logs and metrics. */
export interface CommitReport {
  readonly outcome: (typeof COMMIT_OUTCOMES)[number]
  /** From when it was begun until its outcome was known, waiting for the commits of other campaigns included. */
  readonly seconds: number
  /** How many calls share it. */
  readonly calls: number
  /** What was to be written. */
  readonly bytes: number
}
