import { expect, test } from 'vitest'
import type { DomainErrorCode } from '#campaignd/domain/errors.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { EXPERIMENT_STATUSES, type ExperimentStatus } from '#campaignd/domain/experiment/status.js'
import { updateExperiment } from '#campaignd/domain/operations/report.js'
import { campaignOf, experiment } from '../../support/campaigns/drafts.js'
import { refusal } from '../../support/campaigns/refusal.js'

const STARTED = '2026-03-01T10:00:00Z'
const ENDED = '2026-03-01T11:00:00Z'
const NOW = '2026-03-01T12:00:00Z'

/** What a report of a status makes of an experiment: these new values, nothing at all, or a refusal. */
type Cell = { readonly becomes: Partial<Experiment> } | 'unchanged' | DomainErrorCode

const CLEARED = {
  worker: null,
  lease: null,
  error: null,
  failure_kind: null,
  result_path: null,
  metrics: null,
  started_at: null,
  completed_at: null,
}

/** By hand the budgets begin anew. */
const PUT_BACK = { ...CLEARED, status: 'pending', failures: 0, losses: 0 } as const

const RAN = {
  attempt: 1,
  worker: null,
  actor: null,
  error: null,
  metrics: null,
  closed_by: 'requeue' as const,
  failure_kind: null,
  result_path: null,
  started_at: STARTED,
}

const BEFORE: Record<ExperimentStatus, Experiment> = {
  pending: experiment(),
  running: experiment({
    status: 'running',
    started_at: STARTED,
    lease: { seconds: 60, claim_id: null, claimed_at: null },
  }),
  completed: experiment({ status: 'completed', started_at: STARTED, completed_at: ENDED, result_path: 'results/1' }),
  failed: experiment({
    status: 'failed',
    worker: 'gpu-1',
    started_at: STARTED,
    completed_at: ENDED,
    error: 'CUDA out of memory',
    failure_kind: 'oom',
    result_path: 'results/partial',
  }),
  skipped: experiment({ status: 'skipped', error: 'no such GPU here' }),
}

const FAILED_ATTEMPT = {
  attempt: 1,
  worker: 'gpu-1',
  actor: null,
  status: 'failed',
  failure_kind: 'oom',
  error: 'CUDA out of memory',
  result_path: 'results/partial',
  metrics: null,
  started_at: STARTED,
  completed_at: ENDED,
  closed_by: 'start',
} as const

const TABLE: Record<ExperimentStatus, Record<ExperimentStatus, Cell>> = {
  pending: {
    pending: 'unchanged',
    running: { becomes: { status: 'running', attempt: 1, started_at: NOW } },
    completed: { becomes: { status: 'completed', attempt: 1, completed_at: NOW } },
    failed: { becomes: { status: 'failed', attempt: 1, completed_at: NOW, failure_kind: 'error', failures: 1 } },
    skipped: { becomes: { status: 'skipped' } },
  },
  running: {
    pending: {
      becomes: {
        ...PUT_BACK,
        attempts: [{ ...RAN, status: 'failed', failure_kind: 'interrupted', completed_at: NOW }],
      },
    },
    running: 'unchanged',
    completed: { becomes: { status: 'completed', completed_at: NOW, lease: null } },
    failed: { becomes: { status: 'failed', completed_at: NOW, lease: null, failure_kind: 'error', failures: 1 } },
    skipped: { becomes: { status: 'skipped', completed_at: NOW, lease: null } },
  },
  completed: {
    pending: 'transition-refused',
    running: 'transition-refused',
    completed: 'unchanged',
    failed: 'transition-refused',
    skipped: 'transition-refused',
  },
  failed: {
    pending: { becomes: { ...PUT_BACK, attempts: [{ ...FAILED_ATTEMPT, closed_by: 'requeue' }] } },
    running: {
      becomes: {
        ...CLEARED,
        status: 'running',
        attempt: 2,
        retry_count: 1,
        started_at: NOW,
        attempts: [FAILED_ATTEMPT],
      },
    },
    completed: 'transition-refused',
    failed: 'unchanged',
    skipped: { becomes: { status: 'skipped', failure_kind: null } },
  },
  skipped: {
    pending: { becomes: PUT_BACK },
    running: 'transition-refused',
    completed: 'transition-refused',
    failed: 'transition-refused',
    skipped: 'unchanged',
  },
}

const CELLS = EXPERIMENT_STATUSES.flatMap((from) => EXPERIMENT_STATUSES.map((to) => ({ from, to })))

test('the table has the transition of each status by each report', () => {
  expect(CELLS).toHaveLength(25)
  for (const { from, to } of CELLS) expect(TABLE[from][to], `${from} to ${to}`).toBeDefined()
})

test.each(CELLS)('$from to $to follows the table', ({ from, to }) => {
  expectCell(BEFORE[from], to, TABLE[from][to])
})

const LOST = experiment({
  ...BEFORE.failed,
  error: 'the lease of gpu-1 ran out after 60 s of silence',
  failure_kind: 'lost',
  failures: 0,
  losses: 1,
  result_path: null,
})

const LOST_ATTEMPT = { ...FAILED_ATTEMPT, failure_kind: LOST.failure_kind, error: LOST.error, result_path: null }

const OF_A_LOST_ONE: Record<ExperimentStatus, Cell> = {
  pending: { becomes: { ...PUT_BACK, attempts: [{ ...LOST_ATTEMPT, closed_by: 'requeue' }] } },
  running: {
    becomes: { ...CLEARED, status: 'running', attempt: 2, retry_count: 1, started_at: NOW, attempts: [LOST_ATTEMPT] },
  },
  completed: { becomes: { status: 'completed', completed_at: NOW, error: null, failure_kind: null } },
  failed: { becomes: { completed_at: NOW, error: null, failure_kind: 'error', failures: 1, losses: 0 } },
  skipped: { becomes: { status: 'skipped', failure_kind: null } },
}

test.each(EXPERIMENT_STATUSES)('failed for a lost lease to %s: the late report still counts', (to) => {
  expectCell(LOST, to, OF_A_LOST_ONE[to])
})

function expectCell(before: Experiment, status: ExperimentStatus, cell: Cell): void {
  const campaign = campaignOf([before], { revision: 6 })
  const report = () => updateExperiment(campaign, before.exp_id, { status }, { now: NOW, timezone: 'UTC', actor: null })
  if (cell === 'unchanged') {
    expect(report()).toEqual({ changes: null, result: before })
  } else if (typeof cell === 'string') {
    expect(report).toThrow(refusal(cell, { experiment: before }))
  } else {
    const after = { ...before, ...cell.becomes, revision: 7 }
    expect(report()).toMatchObject({ changes: { at: NOW, changed: [after] }, result: after })
  }
}
