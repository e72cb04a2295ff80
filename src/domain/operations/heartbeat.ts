import { Type, type Static } from '@sinclair/typebox'
import { Attempt, Worker, type Experiment } from '../experiment/experiment.ts'
import { refusal, requireCurrentAttempt, requireOwner } from '../experiment/fence.ts'

export const Heartbeat = Type.Object(
  { attempt: Attempt, worker: Type.Optional(Worker) },
  {
    $id: 'Heartbeat',
    additionalProperties: false,
    description: 'The sign that a worker still runs an attempt',
    examples: [{ attempt: 1, worker: 'gpu-node-1/vllm' }],
  },
)

export type Heartbeat = Static<typeof Heartbeat>

/**
 * Tells why a heartbeat finds no lease to keep alive. For its sender each reason means: stop.
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
        : 'it ran out just now'
  throw refusal(experiment, 'no-lease', `There is no lease on experiment ${experiment.exp_id}: ${why}.`)
}
