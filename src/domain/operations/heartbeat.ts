import { type Static, Type } from '@sinclair/typebox'
import { invalid } from '../errors.ts'
import { Attempt, type Experiment, Worker } from '../experiment/experiment.ts'
import { namedAttempt, refusal, requireCurrentAttempt, requireOwner } from '../experiment/fence.ts'
import { RunId } from '../experiment/run-id.ts'
import { runProgressProperties } from '../experiment/run-progress.ts'
import { Described, StrictObject } from '../schema.ts'

const { progress, note } = runProgressProperties

export const Heartbeat = StrictObject(
  {
    run_id: Type.Optional(
      Described(RunId, 'The run that goes on, as the claim gave it: in place of attempt and worker'),
    ),
    attempt: Type.Optional(Described(Attempt, 'The attempt that goes on; required without a run_id')),
    worker: Type.Optional(Worker),
    progress: Type.Optional(
      Described(progress, 'How much of the run is done. Left out, what was told last stays; null clears it'),
    ),
    note: Type.Optional(
      Described(note, 'What people should know of the run. Left out, what was told last stays; null clears it'),
    ),
  },
  {
    $id: 'Heartbeat',
    description: 'Says that a worker still runs an attempt',
    examples: [{ run_id: 'q3VZ5x0nGm0eJt1b2cJp0A', progress: 0.4, note: 'epoch 2 of 5' }],
  },
)

export type Heartbeat = Static<typeof Heartbeat>

/** @throws DomainError `invalid` when it names no run */
export function requireRun({ run_id, attempt }: Heartbeat): void {
  if (run_id !== undefined || attempt !== undefined) return
  throw invalid({ pointer: '', detail: 'names no run: give the run_id of the claim, or attempt and worker' })
}

/**
 * Says why a heartbeat has no lease to renew. For the worker each reason means: stop.
 * @param uid of the campaign
 * @throws DomainError `stale-attempt`, `not-the-owner` or `no-lease`, with the current experiment
 */
export function refuseHeartbeat(experiment: Experiment, uid: string, beat: Heartbeat): never {
  const attempt = namedAttempt(experiment, uid, beat)
  if (attempt !== undefined) requireCurrentAttempt(experiment, attempt)
  requireOwner(experiment, beat.worker)
  const why =
    experiment.status !== 'running'
      ? `it is ${experiment.status}`
      : experiment.lease === null
        ? 'it was started without one'
        : 'it has just expired'
  throw refusal(experiment, 'no-lease', `Experiment ${experiment.exp_id} has no lease: ${why}.`)
}
