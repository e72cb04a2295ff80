/** Fencing: a call that names another attempt or another worker than the current one changes nothing. */

import { DomainError, type DomainErrorCode } from '../errors.ts'
import type { Experiment } from './experiment.ts'
import { runIdOf } from './run-id.ts'

/** The run that a call is about, as it names it. */
export interface NamedRun {
  readonly run_id?: string | undefined
  readonly attempt?: number | undefined
}

/**
 * The attempt that a call names, by its number or by a run_id; undefined when it names none.
 * @param uid of the campaign
 * @throws DomainError `stale-attempt` when the run_id is not that of the newest attempt, or of another one than the number
 */
export function namedAttempt(experiment: Experiment, uid: string, { run_id, attempt }: NamedRun): number | undefined {
  if (run_id === undefined) return attempt
  if (run_id !== runIdOf(uid, experiment)) {
    const detail =
      `Run ${run_id} is not the newest one of experiment ${experiment.exp_id}: another was started since, the campaign was deleted ` +
      'and made again, or the run_id is mistyped.'
    throw refusal(experiment, 'stale-attempt', detail)
  }
  if (attempt !== undefined && attempt !== experiment.attempt) {
    throw staleAttempt(experiment, attempt, `run ${run_id} is attempt ${experiment.attempt}`)
  }
  return experiment.attempt
}

/** @throws DomainError `stale-attempt` when the attempt is not the current one; a pending experiment has none */
export function requireCurrentAttempt(experiment: Experiment, attempt: number): void {
  const pending = experiment.status === 'pending'
  if (attempt === experiment.attempt && !pending) return
  const now = pending ? 'that one has ended: the experiment is pending' : `the current one is ${experiment.attempt}`
  throw staleAttempt(experiment, attempt, now)
}

/**
 * @param current what the error shows, where the experiment is given as it was
 * @throws DomainError `not-the-owner` when the attempt was started by a worker of another name
 */
export function requireOwner(experiment: Experiment, worker: string | undefined, current = experiment): void {
  if (worker === undefined || experiment.worker === null || worker === experiment.worker) return
  const detail = `Attempt ${experiment.attempt} of experiment ${experiment.exp_id} belongs to ${holderOf(experiment)}, not to ${worker}.`
  throw refusal(current, 'not-the-owner', detail)
}

/** @param now why the attempt is not the current one */
export function staleAttempt(experiment: Experiment, attempt: number, now: string): DomainError {
  const detail = `The call is about attempt ${attempt} of experiment ${experiment.exp_id}, but ${now}.`
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
