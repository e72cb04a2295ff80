import { describe, expect, test } from 'vitest'
import type { Experiment, PastAttempt } from '#campaignd/domain/experiment/experiment.js'
import { MAX_FAILURES } from '#campaignd/domain/indexes/worker-record.js'
import { WorkerRuns } from '#campaignd/domain/indexes/worker-runs.js'
import { atOnce } from '#campaignd/domain/long-work.js'
import { newManifest } from '../../support/campaigns/decisions.js'

const COUNT = 12
const WORKERS = ['w1', 'w2', 'w3', null]
const KINDS = ['error', 'lost', 'oom', 'interrupted', null] as const
const CLOSED_AS = ['failed', 'failed', 'completed', 'skipped'] as const

/** Of a fixed series, so that a failure can be repeated. */
class Chance {
  private state: number

  constructor(seed: number) {
    this.state = seed
  }

  /** From 0, below the count. */
  below(count: number): number {
    this.state = (this.state * 48_271) % 2_147_483_647
    return this.state % count
  }

  of<T>(values: readonly [T, ...T[]] | readonly T[]): T {
    return values[this.below(values.length)] as T
  }

  time(): string | null {
    return this.below(20) === 0 ? null : new Date(Date.UTC(2026, 2, 1) + this.below(40) * 20_000).toISOString()
  }

  past(attempt: number): PastAttempt {
    const status = this.of(CLOSED_AS)
    return {
      ...{ attempt, status, worker: this.of(WORKERS), failure_kind: status === 'failed' ? this.of(KINDS) : null },
      ...{ started_at: this.time(), completed_at: this.time(), actor: null, error: null, result_path: null },
      ...{ metrics: null, closed_by: null },
    }
  }
}

/** What operations do to an experiment, and more: also what only an import could. */
function changed(before: Experiment, chance: Chance): Experiment {
  const { attempt, attempts } = before
  const status = chance.of(['pending', 'running', 'failed', 'failed', 'completed', 'skipped'] as const)
  // Each attempt is recorded once.
  const isOpen = attempt > 0 && attempts.at(-1)?.attempt !== attempt
  const closed = chance.below(2) === 0 && isOpen ? [...attempts, chance.past(attempt)].slice(-5) : attempts
  const lease = status === 'running' && chance.below(2) === 0 ? { seconds: 60, claim_id: null, claimed_at: null } : null
  return {
    ...before,
    status,
    lease,
    attempt: attempt + chance.below(2),
    attempts: chance.below(10) === 0 ? closed.slice(1) : closed,
    worker: chance.below(2) === 0 ? before.worker : chance.of(WORKERS),
    failure_kind: status === 'failed' ? chance.of(KINDS) : null,
    started_at: chance.below(2) === 0 ? before.started_at : chance.time(),
    completed_at: status === 'running' ? null : chance.time(),
  }
}

const BEGIN = Date.UTC(2026, 2, 1)
const END = BEGIN + 60 * 60_000

/** All that is told of the workers. */
function all(runs: WorkerRuns): object {
  const names = (found: Iterable<[string, unknown]>) => [...new Set([...found].map(([worker]) => worker))].sort()
  return {
    records: ['w1', 'w2', 'w3', 'bad'].map((worker) => runs.get(worker)),
    active: names(runs.active(BEGIN, END)),
    failing: names(runs.failing(BEGIN, END)),
  }
}

test.each(Array.from({ length: 40 }, (_, seed) => seed + 1))(
  'runs brought forward by each change are as made anew, series %i',
  (seed) => {
    const chance = new Chance(seed)
    const { experiments } = newManifest('runs', COUNT)
    let runs = atOnce(WorkerRuns.of(experiments))
    for (let step = 0; step < 300; step += 1) {
      const position = chance.below(COUNT)
      const before = experiments[position] as Experiment
      const after = changed(before, chance)
      experiments[position] = after
      runs = runs.with(position, before, after)
      if (chance.below(5) !== 0) continue
      // Also without this, since what is open stays so.
      if (chance.below(2) === 0) runs = runs.known(experiments)
      const anew = atOnce(WorkerRuns.of(experiments))
      expect(all(runs.known(experiments))).toEqual(all(anew))
    }
  },
)

describe('a worker that only fails', () => {
  const failed = (second: number): Partial<Experiment> => ({
    status: 'failed',
    worker: 'bad',
    attempt: 1,
    failure_kind: 'error',
    completed_at: new Date(Date.UTC(2026, 2, 1) + second * 1000).toISOString(),
  })

  test('is known by its newest failures, however many there are', () => {
    const { experiments } = newManifest('runs', MAX_FAILURES + 50)
    let runs = atOnce(WorkerRuns.of(experiments))
    for (const [position, before] of experiments.entries()) {
      const after = { ...before, ...failed(position) }
      experiments[position] = after
      runs = runs.with(position, before, after)
    }
    expect(runs.get('bad')?.failures.map(({ position }) => position)).toEqual(
      Array.from({ length: MAX_FAILURES }, (_, index) => index + 50),
    )
    expect(all(runs)).toEqual(all(atOnce(WorkerRuns.of(experiments))))
    const before = experiments[900] as Experiment
    const after = { ...before, status: 'completed', failure_kind: null } as const
    experiments[900] = after
    const then = runs.with(900, before, after)
    expect(all(then.known(experiments))).toEqual(all(atOnce(WorkerRuns.of(experiments))))
  })

  test('costs no scan of the experiments at each change', () => {
    const { experiments } = newManifest('runs', 3)
    const [first, second, third] = experiments as [Experiment, Experiment, Experiment]
    const runs = atOnce(WorkerRuns.of(experiments))
      .with(0, first, { ...first, ...failed(1) })
      .with(1, second, { ...second, status: 'running', worker: 'bad', attempt: 1, started_at: '2026-03-01T00:00:02Z' })
      .with(2, third, { ...third, ...failed(3) })
    expect(runs.isKnown).toBe(true)
    expect(runs.get('bad')).toMatchObject({ runs: 3, failures: [{ position: 0 }, { position: 2 }] })
  })
})
