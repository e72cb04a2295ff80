import { BY_HAND } from './budgets.ts'
import { keepTail, MAX_PAST_ERROR_BYTES } from './error-text.ts'
import { type ClosedBy, type Experiment, MAX_KEPT_ATTEMPTS, type PastAttempt, retryCount } from './experiment.ts'

/** The experiment in a new attempt; of the attempt before only the record stays. */
export function startAttempt(before: Experiment, now: string): Experiment {
  const started = requeue(before, now, 'start')
  started.status = 'running'
  started.attempt = before.attempt + 1
  started.retry_count = retryCount(started.attempt)
  started.started_at = now
  return started
}

/** The experiment back in pending, with its attempt closed. By hand its budgets begin anew. */
export function requeue(before: Experiment, now: string, closedBy: ClosedBy): Experiment {
  const byHand = BY_HAND.has(closedBy)
  return {
    ...before,
    status: 'pending',
    failures: byHand ? 0 : before.failures,
    losses: byHand ? 0 : before.losses,
    attempts: closeAttempt(before, now, closedBy),
    worker: null,
    lease: null,
    error: null,
    failure_kind: null,
    result_path: null,
    metrics: null,
    started_at: null,
    completed_at: null,
  }
}

/** By what the result of an attempt is not wanted any more, also of one that was closed before. */
export const DISCARDS: ReadonlySet<ClosedBy> = new Set(['retry', 'config'])

/**
 * The record of the newest attempt; undefined while that is the current one, or was never made. An attempt is recorded once: when it is
 * closed, which is before its experiment is pending, and before one that is skipped can be.
 */
export function newestClosed({ attempt, attempts }: Pick<Experiment, 'attempt' | 'attempts'>): PastAttempt | undefined {
  const newest = attempts.at(-1)
  return newest?.attempt === attempt ? newest : undefined
}

/** The closed attempts, with the current one added if there is one: not of a pending experiment, nor of one never started. */
function closeAttempt(experiment: Experiment, now: string, closedBy: ClosedBy): PastAttempt[] {
  const { attempt, status, attempts } = experiment
  const closed = newestClosed(experiment)
  if (closed !== undefined) {
    return DISCARDS.has(closedBy) ? [...attempts.slice(0, -1), { ...closed, closed_by: closedBy }] : attempts
  }
  const isCurrent = status !== 'pending' && attempt > 0
  return isCurrent ? [...attempts, record(experiment, now, closedBy)].slice(-MAX_KEPT_ATTEMPTS) : attempts
}

/** A running attempt is recorded as failed now, `interrupted`. */
function record(experiment: Experiment, now: string, closed_by: ClosedBy): PastAttempt {
  const { attempt, worker, actor, status, failure_kind, error, result_path, metrics, started_at, completed_at } =
    experiment
  const interrupted = status === 'running' || status === 'pending'
  return {
    attempt,
    worker,
    actor,
    status: interrupted ? 'failed' : status,
    failure_kind: interrupted ? 'interrupted' : failure_kind,
    error: error === null ? null : keepTail(error, MAX_PAST_ERROR_BYTES),
    result_path,
    metrics,
    started_at,
    completed_at: interrupted ? now : completed_at,
    closed_by,
  }
}
