import { expect, test } from 'vitest'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentStatus } from '#campaignd/domain/experiment/status.js'
import { applyReport } from '#campaignd/domain/operations/report.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import { experiment } from '../../support/campaigns/drafts.js'
import { invalidAt } from '../../support/campaigns/refusal.js'
import { MOMENT } from '../../support/campaigns/reports.js'

const NOW = '2026-03-01T12:00:00Z'

function apply(before: Experiment, report: ExperimentReport): Experiment {
  return applyReport(before, report, { now: NOW, revision: 2, ...MOMENT })
}

test.each<ExperimentReport>([{}, { attempt: 1 }])('an empty report, %j, is invalid', (report) => {
  expect(() => apply(experiment({ status: 'running' }), report)).toThrow(invalidAt(''))
})

test.each<[ExperimentStatus, ExperimentReport, string]>([
  ['pending', { failure_kind: 'oom' }, '/failure_kind'],
  ['running', { failure_kind: 'oom' }, '/failure_kind'],
  ['completed', { failure_kind: 'oom' }, '/failure_kind'],
  ['skipped', { failure_kind: 'oom' }, '/failure_kind'],
  ['running', { completed_at: NOW }, '/completed_at'],
  ['pending', { lease_seconds: 60 }, '/lease_seconds'],
  ['completed', { lease_seconds: 60 }, '/lease_seconds'],
  ['failed', { lease_seconds: 60 }, '/lease_seconds'],
  ['skipped', { lease_seconds: 60 }, '/lease_seconds'],
])('a %s experiment cannot have %j', (status, report, pointer) => {
  expect(() => apply(experiment({ status }), report)).toThrow(invalidAt(pointer))
  expect(() => apply(experiment({ status }), { status, ...report })).toThrow(invalidAt(pointer))
})

test.each(['pending', 'skipped'] as const)(
  'a %s experiment has no worker, but its reporter may give a name',
  (status) => {
    expect(() => apply(experiment({ status }), { worker: 'gpu-1' })).toThrow(invalidAt('/worker'))
    expect(apply(experiment({ status: 'failed' }), { status, worker: 'gpu-1' })).toMatchObject({ status, worker: null })
  },
)

test('a field is checked by the reported status, not by the one before', () => {
  const failed = apply(experiment({ status: 'running' }), { status: 'failed', failure_kind: 'timeout' })
  expect(failed.failure_kind).toBe('timeout')
  expect(() => apply(experiment({ status: 'failed' }), { status: 'running', failure_kind: 'timeout' })).toThrow(
    invalidAt('/failure_kind'),
  )
})

test('a field that is null removes the value', () => {
  const before = experiment({ status: 'running', error: 'slow', result_path: 'results/1' })
  expect(apply(before, { error: null, result_path: null })).toMatchObject({ error: null, result_path: null })
})

test.each(['started_at', 'completed_at'])('a %s that does not exist is invalid', (field) => {
  const report = { status: 'completed', [field]: '2026-02-30T12:00:00Z' } as const
  expect(() => apply(experiment({ status: 'running' }), report)).toThrow(invalidAt(`/${field}`))
})

test('a long error, reported again, changes nothing', () => {
  const report = { status: 'failed', error: 'x'.repeat(100_000) } as const
  const failed = apply(experiment({ status: 'running' }), report)
  expect(apply(failed, report)).toBe(failed)
})
