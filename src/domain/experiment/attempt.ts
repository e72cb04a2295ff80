import { keepTail, MAX_PAST_ERROR_BYTES } from './error-text.ts'
import { MAX_KEPT_ATTEMPTS, retryCount, type Experiment, type PastAttempt } from './experiment.ts'

/** A new attempt: nothing of the one before it stays but its record. */
export function startAttempt(before: Experiment, now: string): Experiment {
  const attempt = before.attempt + 1
  return {
    ...before,
    status: 'running',
    attempt,
    retry_count: retryCount(attempt),
    attempts: closeAttempt(before, now),
    started_at: now,
    completed_at: null,
    error: null,
    failure_kind: null,
    result_path: null,
    worker: null,
    lease: null,
  }
}

/** The experiment back in pending: its attempt closed, and nothing of it left in the entry itself. */
export function requeue(before: Experiment, now: string): Experiment {
  return {
    ...before,
    status: 'pending',
    attempts: closeAttempt(before, now),
    worker: null,
    lease: null,
    error: null,
    failure_kind: null,
    result_path: null,
    started_at: null,
    completed_at: null,
  }
}

/**
 * The history of an experiment with its current attempt closed. A running one closes as failed, `interrupted`, now.
 * Nothing is added when there is no current attempt: it was never started, or it is pending.
 */
function closeAttempt(experiment: Experiment, now: string): PastAttempt[] {
  const { attempt, status, attempts } = experiment
  const current = status !== 'pending' && attempt > 0 && attempts.at(-1)?.attempt !== attempt
  return current ? [...attempts, record(experiment, now)].slice(-MAX_KEPT_ATTEMPTS) : attempts
}

function record(experiment: Experiment, now: string): PastAttempt {
  const { attempt, worker, error, result_path, started_at } = experiment
  const ended =
    experiment.status === 'running' || experiment.status === 'pending'
      ? { status: 'failed' as const, failure_kind: 'interrupted' as const, completed_at: now }
      : { status: experiment.status, failure_kind: experiment.failure_kind, completed_at: experiment.completed_at }
  return {
    attempt,
    worker,
    status: ended.status,
    failure_kind: ended.failure_kind,
    error: error === null ? null : keepTail(error, MAX_PAST_ERROR_BYTES),
    result_path,
    started_at,
    completed_at: ended.completed_at,
  }
}
