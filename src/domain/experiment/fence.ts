/** Fencing: a call that names another attempt or another worker than the current one changes nothing. */

import { DomainError, type DomainErrorCode } from '../errors.ts'
import type { Experiment } from './experiment.ts'

/** @throws DomainError `stale-attempt` when the attempt is not the current one; a pending experiment has none */
export function requireCurrentAttempt(experiment: Experiment, attempt: number): void {
  const pending = experiment.status === 'pending'
  if (attempt === experiment.attempt && !pending) return
  const now = pending ? 'it is pending, so none is current' : `the current one is ${experiment.attempt}`
  throw staleAttempt(experiment, attempt, now)
}

/** @throws DomainError `not-the-owner` when the attempt was started by a worker of another name */
export function requireOwner(experiment: Experiment, worker: string | undefined): void {
  if (worker === undefined || experiment.worker === null || worker === experiment.worker) return
  const detail = `Attempt ${experiment.attempt} of experiment ${experiment.exp_id} belongs to ${holderOf(experiment)}, not to ${worker}.`
  throw refusal(experiment, 'not-the-owner', detail)
}

/** @param now why the attempt is not the current one */
export function staleAttempt(experiment: Experiment, attempt: number, now: string): DomainError {
  const detail = `The report is of attempt ${attempt} of experiment ${experiment.exp_id}, but ${now}.`
  return refusal(experiment, 'stale-attempt', detail)
}

/** The name of its worker, for an error. */
export function holderOf({ worker }: Experiment): string {
  return worker ?? 'a worker that gave no name'
}

/** An error that carries the current experiment. */
export function refusal(experiment: Experiment, code: DomainErrorCode, detail: string): DomainError {
  return new DomainError(code, detail, { experiment })
}
