import { expect, test } from 'vitest'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ClaimFilter } from '#campaignd/domain/indexes/claim-filters.js'
import { ClaimQueues } from '#campaignd/domain/indexes/claim-queues.js'
import { atOnce } from '#campaignd/domain/long-work.js'
import { newManifest } from '../../support/campaigns/decisions.js'

const COUNT = 400
const MAX_RETRIES = 2
const STATUSES = ['pending', 'running', 'failed', 'completed'] as const

/** Experiments in which each pair of so many backends and containers occurs. */
function experimentsOf(backends: number, containers: number): Experiment[] {
  return newManifest('queues', COUNT).experiments.map((experiment, index) => ({
    ...experiment,
    backend: `b${index % backends}`,
    container: `c${Math.floor(index / backends) % containers}`,
  }))
}

function claimableIn(experiments: readonly Experiment[], { backend, container }: ClaimFilter): number[] {
  const positionsOf = (isWanted: (experiment: Experiment) => boolean) =>
    experiments.flatMap((experiment, position) =>
      (backend === undefined || experiment.backend === backend) &&
      (container === undefined || experiment.container === container) &&
      isWanted(experiment)
        ? [position]
        : [],
    )
  const pending = positionsOf(({ status }) => status === 'pending')
  return [...pending, ...positionsOf(({ status, retry_count }) => status === 'failed' && retry_count < MAX_RETRIES)]
}

const FILTERS: readonly ClaimFilter[] = [
  {},
  { backend: 'b1' },
  { container: 'c1' },
  { backend: 'b1', container: 'c1' },
  { backend: 'nobody' },
  { backend: 'b0', container: 'nobody' },
]

test.each([
  [1, 1],
  [4, 8],
  [3, 11],
  [20, 20],
  [400, 1],
  [1, 400],
])(
  'what can be claimed is the same with %i backends and %i containers as by looking at each experiment',
  (...pairs) => {
    const experiments = experimentsOf(...pairs)
    let queues = atOnce(ClaimQueues.of(experiments))
    for (let step = 0; step < 3 * COUNT; step += 1) {
      const position = (step * 7) % COUNT
      const before = experiments[position]
      if (before === undefined) throw new Error('no such position')
      const status = STATUSES[(step * 5 + Math.floor(step / COUNT)) % STATUSES.length] ?? 'pending'
      const after = { ...before, status, retry_count: (before.retry_count + step) % 4 }
      queues = queues.with(position, before, after)
      experiments[position] = after
      if (step % 100 !== 0) continue
      const remade = atOnce(ClaimQueues.of(experiments))
      for (const filter of FILTERS) {
        const due = claimableIn(experiments, filter)
        expect([...queues.claimable(filter, MAX_RETRIES)]).toEqual(due)
        expect([...remade.claimable(filter, MAX_RETRIES)]).toEqual(due)
        expect(queues.hasClaimable(filter, MAX_RETRIES)).toBe(due.length > 0)
        const isRunning = ({ status, retry_count }: Experiment) => status === 'running' && retry_count < MAX_RETRIES
        const running = experiments.filter(isRunning).map((one): Experiment => ({ ...one, status: 'pending' }))
        expect(queues.mayFailAndBeClaimed(filter, MAX_RETRIES)).toBe(claimableIn(running, filter).length > 0)
      }
    }
  },
)
