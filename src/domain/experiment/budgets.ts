/** How often an experiment may fail before nobody gets it any more without being asked for. */

import type { ClosedBy, Experiment, FailureKind } from './experiment.ts'

/** Of failures that the experiment itself may be the cause of, and of runs that were taken away from it: a lost machine, a stop. */
export interface Budgets {
  readonly max_retries: number
  readonly max_losses: number
}

export type UsedBudgets = Pick<Experiment, 'failures' | 'losses'>

/** What puts an experiment back to pending because somebody wants it run again: its budgets begin anew. */
export const BY_HAND: ReadonlySet<ClosedBy> = new Set(['requeue', 'resume', 'retry', 'config'])

/** Whether a failure counts as a loss. A failure of unknown kind is an error. */
export function isLoss(kind: FailureKind | null): boolean {
  return kind === 'lost' || kind === 'interrupted'
}

/** What is used up once an attempt has ended with a failure of this kind. */
export function usedBy({ failures, losses }: UsedBudgets, kind: FailureKind | null): UsedBudgets {
  return isLoss(kind) ? { failures, losses: losses + 1 } : { failures: failures + 1, losses }
}

/**
 * What is used up once it is known that an attempt, which was counted, ended in another way: it counts once, by the last that is known.
 */
export function recounted(used: UsedBudgets, before: FailureKind | null, after: FailureKind | null): UsedBudgets {
  if (isLoss(before) === isLoss(after)) return used
  const { failures, losses } = used
  const without = isLoss(before)
    ? { failures, losses: Math.max(0, losses - 1) }
    : { failures: Math.max(0, failures - 1), losses }
  return usedBy(without, after)
}

interface EndedAttempt {
  readonly status: string
  readonly failure_kind: FailureKind | null
}

interface History {
  readonly current: EndedAttempt
  readonly attempt: number
  readonly attempts: readonly (EndedAttempt & { readonly attempt: number; readonly closed_by?: ClosedBy | null })[]
}

/**
 * What an experiment has used up of which only the attempts are known, since it was last put back by hand. Attempts of which nothing
 * is known count as failures.
 */
export function usedInHistory({ current, attempt, attempts }: History): UsedBudgets {
  const isRecorded = current.status === 'pending' || attempt === 0 || attempts.at(-1)?.attempt === attempt
  const putBack = attempts.findLastIndex(({ closed_by = null }) => closed_by !== null && BY_HAND.has(closed_by))
  const since = attempts.slice(putBack + 1)
  const known = isRecorded ? since : [...since, current]
  const unknown = putBack === -1 ? Math.max(0, attempt - known.length) : 0
  return known
    .filter(({ status }) => status === 'failed')
    .reduce<UsedBudgets>((used, { failure_kind }) => usedBy(used, failure_kind), { failures: unknown, losses: 0 })
}
