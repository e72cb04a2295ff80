import { type Budgets, isLoss } from '../experiment/budgets.ts'
import type { Experiment } from '../experiment/experiment.ts'

/** What is known of one experiment or of a range of them: enough to skip it when something to claim is searched for. */
export interface Claimable {
  readonly pending: boolean
  /** The least `failures` of those whose newest attempt failed; `NEVER` when there are none. */
  readonly failed: number
  /** The least `losses` of those whose newest attempt was lost or interrupted. */
  readonly lost: number
  /** The least `failures` and the least `losses` of running ones. */
  readonly running_failures: number
  readonly running_losses: number
}

export type IsWanted = (claimable: Claimable) => boolean

/** More than any setting allows, and small enough for V8 to keep it without an object. */
const NEVER = 2 ** 30

const NOTHING: Claimable = {
  pending: false,
  failed: NEVER,
  lost: NEVER,
  running_failures: NEVER,
  running_losses: NEVER,
}
const PENDING: Claimable = { ...NOTHING, pending: true }

/** Values for counts up to here are shared, as nearly all experiments have them. */
const SHARED = 16
const FAILED = Array.from({ length: SHARED }, (_, failures) => failedAfter(failures))
const LOST = Array.from({ length: SHARED }, (_, losses) => lostAfter(losses))
const RUNNING = Array.from({ length: SHARED }, (_, failures) =>
  Array.from({ length: SHARED }, (__, losses) => runningAfter(failures, losses)),
)

export function claimableOf({ status, failure_kind, failures, losses }: Experiment): Claimable {
  if (status === 'pending') return PENDING
  if (status === 'running') return RUNNING[failures]?.[losses] ?? runningAfter(failures, losses)
  if (status !== 'failed') return NOTHING
  return isLoss(failure_kind) ? (LOST[losses] ?? lostAfter(losses)) : (FAILED[failures] ?? failedAfter(failures))
}

/** Whether two experiments, or one before and after a change, are the same to whoever claims. */
export function isQueuedAlike(a: Experiment, b: Experiment): boolean {
  return (
    a.status === b.status && a.failure_kind === b.failure_kind && a.failures === b.failures && a.losses === b.losses
  )
}

export function claimableIn(parts: readonly Claimable[]): Claimable {
  let { pending, failed, lost, running_failures, running_losses } = NOTHING
  for (const part of parts) {
    if (part.pending) pending = true
    if (part.failed < failed) failed = part.failed
    if (part.lost < lost) lost = part.lost
    if (part.running_failures < running_failures) running_failures = part.running_failures
    if (part.running_losses < running_losses) running_losses = part.running_losses
  }
  return { pending, failed, lost, running_failures, running_losses }
}

export function isAlike(a: Claimable, b: Claimable): boolean {
  return (
    a.pending === b.pending &&
    a.failed === b.failed &&
    a.lost === b.lost &&
    a.running_failures === b.running_failures &&
    a.running_losses === b.running_losses
  )
}

export function isPending({ pending }: Claimable): boolean {
  return pending
}

/** Failed, and its newest failure is within its budget. */
export function failedWithin({ max_retries, max_losses }: Budgets): IsWanted {
  return ({ failed, lost }) => failed <= max_retries || lost <= max_losses
}

/** Running, and it can be claimed again if it fails, in one way or the other. */
export function runningWithin({ max_retries, max_losses }: Budgets): IsWanted {
  return ({ running_failures, running_losses }) => running_failures < max_retries || running_losses < max_losses
}

export function isRunning({ running_failures }: Claimable): boolean {
  return running_failures < NEVER
}

function failedAfter(failures: number): Claimable {
  return { ...NOTHING, failed: Math.min(failures, NEVER) }
}

function lostAfter(losses: number): Claimable {
  return { ...NOTHING, lost: Math.min(losses, NEVER) }
}

function runningAfter(failures: number, losses: number): Claimable {
  return { ...NOTHING, running_failures: Math.min(failures, NEVER - 1), running_losses: Math.min(losses, NEVER - 1) }
}
