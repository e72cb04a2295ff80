import { type Static, Type } from '@sinclair/typebox'
import { Attempt, type Experiment, Worker } from '../experiment/experiment.ts'
import { refusal, requireCurrentAttempt, requireOwner } from '../experiment/fence.ts'
import { StrictObject } from '../schema.ts'

export const Heartbeat = StrictObject(
  { attempt: Attempt, worker: Type.Optional(Worker) },
  {
    $id: 'Heartbeat',
    description: 'Says that a worker still runs an attempt',
    examples: [{ attempt: 1, worker: 'gpu-node-1/vllm' }],
  },
)

export type Heartbeat = Static<typeof Heartbeat>

/**
 * Says why a heartbeat has no lease to renew. For the worker each reason means: stop.
 * @throws DomainError `stale-attempt`, `not-the-owner` or `no-lease`, with the current experiment
 */
export function refuseHeartbeat(experiment: Experiment, { attempt, worker }: Heartbeat): never {
  requireCurrentAttempt(experiment, attempt)
  requireOwner(experiment, worker)
  const why =
    experiment.status !== 'running'
      ? `it is ${experiment.status}`
      : experiment.lease === null
        ? 'it was started without one'
        : 'it has just expired'
  throw refusal(experiment, 'no-lease', `Experiment ${experiment.exp_id} has no lease: ${why}.`)
}
