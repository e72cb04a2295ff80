/** How often an experiment may end badly before nobody gets it unasked: one budget for its own failures, one for losses. */

import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment, PastAttempt } from '#campaignd/domain/experiment/experiment.js'

type Kind = Experiment['failure_kind']

type Allowed = Pick<CampaignManifest['settings'], 'max_retries' | 'max_losses'>

export type Spent = Pick<Experiment, 'failures' | 'losses'>

/** Where nothing is known of the kind, it is an error. */
function budgetOf(kind: Kind): keyof Spent {
  return kind === 'lost' || kind === 'interrupted' ? 'losses' : 'failures'
}

/** What failed just now, with this failure counted. */
export function counted(failed: Experiment): Experiment {
  const isLoss = budgetOf(failed.failure_kind) === 'losses'
  return isLoss ? { ...failed, losses: failed.losses + 1 } : { ...failed, failures: failed.failures + 1 }
}

/** It was counted as one kind, and is of another. */
export function countedAnew(failed: Experiment, kindBefore: Kind): Experiment {
  const was = budgetOf(kindBefore)
  if (was === budgetOf(failed.failure_kind)) return failed
  return counted({ ...failed, [was]: Math.max(failed[was] - 1, 0) })
}

/** It failed, and may be handed out again though nobody asked for it. */
export function isWithinBudget({ status, failure_kind, failures, losses }: Experiment, allowed: Allowed): boolean {
  if (status !== 'failed') return false
  return budgetOf(failure_kind) === 'losses' ? losses <= allowed.max_losses : failures <= allowed.max_retries
}

/** It runs, and there is a way to fail after which it may be handed out again. */
export function mayComeBack({ status, failures, losses }: Experiment, allowed: Allowed): boolean {
  return status === 'running' && (failures < allowed.max_retries || losses < allowed.max_losses)
}

interface Past {
  readonly status: Experiment['status']
  readonly failure_kind: Kind
  readonly attempt: number
  readonly attempts: readonly PastAttempt[]
}

/** By hand it all begins anew. */
const PUT_BACK = ['requeue', 'resume', 'retry', 'config']

/** What an import has used up that does not say so itself. An attempt of which nothing is told is taken for a failure. */
export function spentSoFar(one: Past): Spent {
  const { status, attempt, attempts } = one
  const isToldTwice = attempts.at(-1)?.attempt === attempt
  const isCurrentTold = status !== 'pending' && attempt !== 0 && !isToldTwice
  const byHand = attempts.map(({ closed_by }) => PUT_BACK.includes(closed_by ?? ''))
  const fresh = attempts.slice(byHand.lastIndexOf(true) + 1)
  const told = [...fresh, ...(isCurrentTold ? [one] : [])]
  const budgets = told.filter((end) => end.status === 'failed').map((end) => budgetOf(end.failure_kind))
  const untold = byHand.includes(true) ? 0 : Math.max(attempt - told.length, 0)
  const losses = budgets.filter((budget) => budget === 'losses').length
  return { failures: budgets.length - losses + untold, losses }
}
