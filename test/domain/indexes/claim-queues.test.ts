import { expect, test } from 'vitest'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ClaimFilter } from '#campaignd/domain/indexes/claim-filters.js'
import { ClaimQueues } from '#campaignd/domain/indexes/claim-queues.js'
import { atOnce } from '#campaignd/domain/long-work.js'
import { newManifest } from '../../support/campaigns/decisions.js'

const COUNT = 400
const BUDGETS = { max_retries: 2, max_losses: 1 }
const KINDS = ['error', 'lost', 'oom', 'interrupted'] as const
const STATUSES = ['pending', 'running', 'failed', 'completed'] as const

/** Experiments in which each pair of so many backends and containers occurs. */
function experimentsOf(backends: number, containers: number): Experiment[] {
  return newManifest('queues', COUNT).experiments.map((experiment, index) => ({
    ...experiment,
    backend: `b${index % backends}`,
    container: `c${Math.floor(index / backends) % containers}`,
  }))
}

function isWithinBudget({ failure_kind, failures, losses }: Experiment): boolean {
  const isLoss = failure_kind === 'lost' || failure_kind === 'interrupted'
  return isLoss ? losses <= BUDGETS.max_losses : failures <= BUDGETS.max_retries
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
  return [...pending, ...positionsOf((one) => one.status === 'failed' && isWithinBudget(one))]
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
      const failure_kind = status === 'failed' ? (KINDS[step % KINDS.length] ?? null) : null
      const used = { failures: (before.failures + step) % 4, losses: (before.losses + step) % 3 }
      const after = { ...before, status, failure_kind, ...used }
      queues = queues.with(position, before, after)
      experiments[position] = after
      if (step % 100 !== 0) continue
      const remade = atOnce(ClaimQueues.of(experiments))
      for (const filter of FILTERS) {
        const due = claimableIn(experiments, filter)
        expect([...queues.claimable(filter, BUDGETS)]).toEqual(due)
        expect([...remade.claimable(filter, BUDGETS)]).toEqual(due)
        expect(queues.hasClaimable(filter, BUDGETS)).toBe(due.length > 0)
        const isRunning = ({ status, failures, losses }: Experiment) =>
          status === 'running' && (failures < BUDGETS.max_retries || losses < BUDGETS.max_losses)
        const running = experiments.filter(isRunning).map((one): Experiment => ({ ...one, status: 'pending' }))
        expect(queues.mayFailAndBeClaimed(filter, BUDGETS)).toBe(claimableIn(running, filter).length > 0)
      }
    }
  },
)

test.each([1, 40])('what can be claimed is found far behind, with %i pairs of backend and container', (pairs) => {
  const count = 33_000
  const all = newManifest('queues', count).experiments.map((one, index): Experiment => ({
    ...one,
    backend: `b${index % pairs}`,
    status: 'completed',
  }))
  let queues = atOnce(ClaimQueues.of(all))
  const change = (position: number, given: Partial<Experiment>) => {
    const before = all[position]
    if (before === undefined) throw new Error('no such position')
    queues = queues.with(position, before, (all[position] = { ...before, ...given }))
  }
  const due = (filter: ClaimFilter) => [...queues.claimable(filter, BUDGETS)]
  for (const position of [32_999, 1_023, 1_024, 32_768, 0]) change(position, { status: 'pending' })
  for (const position of [32_767, 31]) change(position, { status: 'failed' })
  change(32, { status: 'failed', failures: BUDGETS.max_retries + 1 })
  for (const filter of [{}, { backend: 'b0' }, { backend: 'b24' }])
    expect(due(filter)).toEqual(claimableIn(all, filter))
  expect(due({})).toEqual([0, 1_023, 1_024, 32_768, 32_999, 31, 32_767])
  for (const position of [0, 31, 1_023, 1_024, 32_767, 32_768, 32_999]) change(position, { status: 'running' })
  expect(due({})).toEqual([])
  expect(queues.mayFailAndBeClaimed({}, BUDGETS)).toBe(true)
})
