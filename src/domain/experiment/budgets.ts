/** How often an experiment may fail before nobody gets it any more without being asked for. */

import type { Experiment, FailureKind } from './experiment.ts'

/** Of failures that the experiment itself may be the cause of, and of runs that were taken away from it: a lost machine, a stop. */
export interface Budgets {
  readonly max_retries: number
  readonly max_losses: number
}

export type UsedBudgets = Pick<Experiment, 'failures' | 'losses'>

/** Whether a failure counts as a loss. A failure of unknown kind is an error. */
export function isLoss(kind: FailureKind | null): boolean {
  return kind === 'lost' || kind === 'interrupted'
}

/** What is used up once an attempt has ended with a failure of this kind. */
export function usedBy({ failures, losses }: UsedBudgets, kind: FailureKind | null): UsedBudgets {
  return isLoss(kind) ? { failures, losses: losses + 1 } : { failures: failures + 1, losses }
}

interface EndedAttempt {
  readonly status: string
  readonly failure_kind: FailureKind | null
}

interface History {
  readonly current: EndedAttempt
  readonly attempt: number
  readonly attempts: readonly (EndedAttempt & { readonly attempt: number })[]
}

/** What an experiment has used up of which only the attempts are known. Attempts of which nothing is known count as failures. */
export function usedInHistory({ current, attempt, attempts }: History): UsedBudgets {
  const isRecorded = current.status === 'pending' || attempt === 0 || attempts.at(-1)?.attempt === attempt
  const known = isRecorded ? attempts : [...attempts, current]
  const unknown = Math.max(0, attempt - known.length)
  return known
    .filter(({ status }) => status === 'failed')
    .reduce<UsedBudgets>((used, { failure_kind }) => usedBy(used, failure_kind), { failures: unknown, losses: 0 })
}
