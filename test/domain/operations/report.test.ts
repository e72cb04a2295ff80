import { describe, expect, test } from 'vitest'
import { CampaignManifestEntry, type Experiment, type FailureKind } from '#campaignd/domain/experiment/experiment.js'
import { applyReport } from '#campaignd/domain/operations/report.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import { experiment } from '../../support/campaigns/drafts.js'
import { refusal } from '../../support/campaigns/refusal.js'
import { after, MOMENT, NOW } from '../../support/campaigns/reports.js'

const LATER = '2026-03-01T13:00:00Z'

function reporting(before: Experiment, report: ExperimentReport): () => Experiment {
  return () => after(before, report)
}

test('a reported experiment keeps all its fields, in the order of the manifest', () => {
  const reported = after(experiment(), { status: 'running', worker: 'gpu-1' })
  expect(Object.keys(reported)).toEqual(Object.keys(CampaignManifestEntry.properties))
})

describe('a repeated report', () => {
  const RUNNING = experiment({ status: 'running', worker: 'gpu-1' })

  test.each<[string, Experiment, ExperimentReport]>([
    ['start', experiment(), { status: 'running', worker: 'gpu-1', attempt: 1, lease_seconds: 60 }],
    ['start without a name', experiment(), { status: 'running' }],
    ['completion', RUNNING, { status: 'completed', worker: 'gpu-1', result_path: 'results/1' }],
    ['completion without a start', experiment(), { status: 'completed', worker: 'gpu-1', attempt: 1 }],
    ['completion with a time', RUNNING, { status: 'completed', completed_at: '2026-03-01T11:00:00+01:00' }],
    ['failure', RUNNING, { status: 'failed', error: 'Killed', failure_kind: 'oom' }],
    ['failure without a kind', RUNNING, { status: 'failed', error: 'Killed' }],
    ['skip', RUNNING, { status: 'skipped', error: 'not needed' }],
    ['requeue', RUNNING, { status: 'pending' }],
    ['change of one field', RUNNING, { result_path: 'results/1' }],
  ])('a repeated report of a %s gives the very same value', (_, before, report) => {
    const once = after(before, report)
    expect(once).not.toEqual(before)
    expect(applyReport(once, report, { now: LATER, revision: 99, ...MOMENT })).toBe(once)
  })

  test('a repeated report with another value changes that value and nothing else', () => {
    const failed = after(RUNNING, { status: 'failed', failure_kind: 'oom', error: 'Killed' })
    const report = { status: 'failed', error: 'Killed by the kernel' } as const
    const again = applyReport(failed, report, { now: LATER, revision: 9, ...MOMENT })
    expect(again).toEqual({ ...failed, error: 'Killed by the kernel', revision: 9 })
  })
})

test('a report without a status changes the given fields and no other', () => {
  const before = experiment({ status: 'failed', error: 'Killed' })
  const fields = { failure_kind: 'oom', result_path: 'results/partial' } as const
  expect(after(before, fields)).toEqual({ ...before, ...fields, revision: 2 })
})

test('a start takes the fields of the report over its own', () => {
  const fields = { started_at: LATER, result_path: 'results/2', error: 'slow disk' }
  const failed = experiment({ status: 'failed', error: 'Killed', result_path: 'results/partial', started_at: NOW })
  expect(after(failed, { status: 'running', ...fields })).toMatchObject(fields)
})

test('a finish without a start counts as an attempt and has a started_at only when it gives one', () => {
  expect(after(experiment(), { status: 'completed' })).toMatchObject({ attempt: 1, started_at: null })
  expect(after(experiment(), { status: 'failed', started_at: NOW })).toMatchObject({ attempt: 1, started_at: NOW })
})

describe('a finish', () => {
  const RUNNING = experiment({
    status: 'running',
    lease: { seconds: 60, claim_id: 'c1', claimed_at: null },
    started_at: NOW,
  })

  test.each(['completed', 'failed', 'skipped'] as const)(
    'a finish as %s drops the lease and ends now unless it says when',
    (status) => {
      expect(after(RUNNING, { status })).toMatchObject({ lease: null, started_at: NOW, completed_at: NOW })
      expect(after(RUNNING, { status, completed_at: LATER }).completed_at).toBe(LATER)
    },
  )

  test('a finish may come from before the start, since clocks change', () => {
    const completed_at = '2026-03-01T08:00:00Z'
    expect(after(RUNNING, { status: 'completed', completed_at })).toMatchObject({ started_at: NOW, completed_at })
  })
})

describe('a completed experiment', () => {
  const COMPLETED = experiment({ status: 'completed', worker: 'gpu-1', completed_at: NOW, result_path: null })

  test.each<ExperimentReport>([
    { error: 'late doubts' },
    { completed_at: LATER },
    { started_at: LATER },
    { status: 'completed', result_path: 'results/1', error: 'late doubts' },
  ])('a completed experiment takes nothing else: %j', (report) => {
    expect(reporting(COMPLETED, report)).toThrow(refusal('transition-refused', { experiment: COMPLETED }))
  })
})

describe('a late finish', () => {
  const lost = experiment({
    status: 'failed',
    failure_kind: 'lost',
    error: 'no heartbeat of gpu-1 for 60 s',
    worker: 'gpu-1',
    completed_at: '2026-03-01T11:00:00Z',
  })

  test('a late finish of a lost attempt counts once: a second one changes nothing, another one is refused', () => {
    const failed = after(lost, { status: 'failed', error: 'Killed' })
    expect(after(failed, { status: 'failed', error: 'Killed' })).toBe(failed)
    expect(reporting(failed, { status: 'completed' })).toThrow(refusal('transition-refused'))
  })

  test('a late finish of a lost attempt is not for another worker to make', () => {
    expect(reporting(lost, { status: 'completed', worker: 'gpu-2' })).toThrow(refusal('not-the-owner'))
  })

  test.each<FailureKind>(['error', 'interrupted', 'timeout', 'oom'])(
    'a late finish as completed is refused after %s',
    (failure_kind) => {
      expect(reporting(experiment({ status: 'failed', failure_kind }), { status: 'completed' })).toThrow(
        refusal('transition-refused'),
      )
    },
  )
})

describe('the attempt that a report names', () => {
  const RUNNING = experiment({ status: 'running', attempt: 3 })
  const FAILED = experiment({ status: 'failed', attempt: 3 })
  const REQUEUED = after(RUNNING, { status: 'pending' })

  test.each<[string, Experiment, ExperimentReport]>([
    ['a start, the one it starts', experiment(), { status: 'running', attempt: 1 }],
    ['a start after a failure, the next', FAILED, { status: 'running', attempt: 4 }],
    ['a start after a requeue, the next', REQUEUED, { status: 'running', attempt: 4 }],
    ['a finish without a start, the next', REQUEUED, { status: 'completed', attempt: 4 }],
    ['a finish, the current one', RUNNING, { status: 'completed', attempt: 3 }],
    ['a repeated start, the current one', RUNNING, { status: 'running', attempt: 3 }],
    ['a requeue, the current one', RUNNING, { status: 'pending', attempt: 3 }],
    ['a report without a status, the current one', FAILED, { error: 'Killed', attempt: 3 }],
  ])('the attempt that a report names may be, in %s', (_, before, report) => {
    expect(reporting(before, report)).not.toThrow()
  })

  test.each<[string, Experiment, ExperimentReport]>([
    ['a start that names the one before', FAILED, { status: 'running', attempt: 3 }],
    ['a start that names one too far', experiment(), { status: 'running', attempt: 2 }],
    ['a finish without a start that names the one before', REQUEUED, { status: 'failed', attempt: 3 }],
    ['a finish that names the one before', RUNNING, { status: 'completed', attempt: 2 }],
    ['a finish that names the next', RUNNING, { status: 'completed', attempt: 4 }],
    ['a repeated start that names the one before', RUNNING, { status: 'running', attempt: 2 }],
    ['a requeue that names the one before', RUNNING, { status: 'pending', attempt: 2 }],
    ['a skip that names one while none is current', REQUEUED, { status: 'skipped', attempt: 3 }],
    ['a requeue that names one while none is current', REQUEUED, { status: 'pending', attempt: 3 }],
    ['a skip that names none started, 0', experiment(), { status: 'skipped', attempt: 0 }],
    ['a report without a status that names the one before', FAILED, { error: 'Killed', attempt: 2 }],
  ])('the attempt that a report names makes it stale: %s', (_, before, report) => {
    expect(reporting(before, report)).toThrow(refusal('stale-attempt', { experiment: before }))
  })
})

describe('a running experiment', () => {
  const OWNED = experiment({ status: 'running', worker: 'gpu-1' })
  const UNNAMED = experiment({ status: 'running', worker: null })

  test.each<[string, Experiment, ExperimentReport]>([
    ['another worker', OWNED, { status: 'running', worker: 'gpu-2' }],
    ['a worker that names none', OWNED, { status: 'running' }],
    ['another worker that names the same attempt', OWNED, { status: 'running', worker: 'gpu-2', attempt: 1 }],
    ['a worker with a name, when it is run by one without', UNNAMED, { status: 'running', worker: 'gpu-2' }],
  ])('a running experiment cannot be started by %s', (_, before, report) => {
    expect(reporting(before, report)).toThrow(refusal('already-running', { experiment: before }))
  })

  test.each<[string, Experiment, ExperimentReport]>([
    ['the same worker', OWNED, { status: 'running', worker: 'gpu-1' }],
    ['one that names the same attempt', OWNED, { status: 'running', attempt: 1 }],
    ['one without a name, when it is run by one without', UNNAMED, { status: 'running' }],
  ])('a running experiment is left as it is by a start of %s', (_, before, report) => {
    expect(after(before, report)).toBe(before)
  })

  test.each<ExperimentReport>([{ status: 'completed' }, { status: 'failed' }, { status: 'completed', attempt: 1 }])(
    'a running experiment cannot be finished by another worker: %j',
    (report) => {
      expect(reporting(OWNED, { ...report, worker: 'gpu-2' })).toThrow(refusal('not-the-owner', { experiment: OWNED }))
    },
  )

  test.each(['completed', 'failed'] as const)(
    'a running experiment that has %s cannot be finished again by another worker',
    (status) => {
      const ended = after(OWNED, { status })
      expect(reporting(ended, { status, worker: 'gpu-2' })).toThrow(refusal('not-the-owner', { experiment: ended }))
    },
  )

  test.each<ExperimentReport>([{ status: 'completed' }, { status: 'completed', worker: 'gpu-1' }])(
    'a running experiment is finished by the one that runs it, named or not: %j',
    (report) => {
      expect(after(OWNED, report)).toMatchObject({ status: 'completed', worker: 'gpu-1' })
    },
  )
})
