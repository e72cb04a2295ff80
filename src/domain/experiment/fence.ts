import { DomainError, type DomainErrorCode } from '../errors.ts'
import type { Experiment } from './experiment.ts'

/** The fence: whoever names an attempt that is not, or no longer, the one he means changes nothing. */

/** @throws DomainError `stale-attempt` when the attempt is not the current one; of a pending experiment none is */
export function requireCurrentAttempt(experiment: Experiment, attempt: number): void {
  const current = experiment.status === 'pending' ? null : experiment.attempt
  if (attempt === current) return
  throw staleAttempt(
    experiment,
    attempt,
    current === null ? 'it is pending, so none is current' : `the current one is ${current}`,
  )
}

/** @throws DomainError `not-the-owner` when the attempt was started by a worker of another name */
export function requireOwner(experiment: Experiment, worker: string | undefined): void {
  if (worker === undefined || experiment.worker === null || worker === experiment.worker) return
  const detail = `Attempt ${experiment.attempt} of experiment ${experiment.exp_id} belongs to ${holderOf(experiment)}, not to ${worker}.`
  throw refusal(experiment, 'not-the-owner', detail)
}

export function staleAttempt(experiment: Experiment, attempt: number, now: string): DomainError {
  const detail = `The report is of attempt ${attempt} of experiment ${experiment.exp_id}, but ${now}.`
  return refusal(experiment, 'stale-attempt', detail)
}

export function holderOf({ worker }: Experiment): string {
  return worker ?? 'a worker that gave no name'
}

/** A refusal that shows the experiment as it stands. */
export function refusal(experiment: Experiment, code: DomainErrorCode, detail: string): DomainError {
  return new DomainError(code, detail, { experiment })
}
