import { expect, test } from 'vitest'
import type { Decision } from '#campaignd/domain/campaign/campaign.js'
import { invalid } from '#campaignd/domain/errors.js'
import { type BatchItem, type BatchResult, updateBatch } from '#campaignd/domain/operations/report-batch.js'
import { campaignOf } from '../../support/campaigns/drafts.js'
import { invalidAt, refusal } from '../../support/campaigns/refusal.js'
import { NOW } from '../../support/campaigns/reports.js'

const CAMPAIGN = campaignOf([{}, { status: 'running' }, { status: 'completed' }], { revision: 6 })

const GOOD: readonly BatchItem[] = [
  { exp_id: '0001', report: { status: 'running' } },
  { exp_id: '0002', report: { status: 'completed', result_path: 'results/2' } },
]

const BAD: readonly BatchItem[] = [
  { exp_id: '0099', report: { status: 'running' } },
  { exp_id: '0003', report: { status: 'failed' } },
  { exp_id: '0002', report: { status: 'failed', attempt: 7 } },
  { exp_id: '0001', report: {} },
  { exp_id: '0001', refused: invalid({ pointer: '/status', detail: 'is not a status' }) },
]

const REFUSALS = [
  refusal('experiment-not-found'),
  refusal('transition-refused'),
  refusal('stale-attempt'),
  invalidAt('/updates/3'),
  invalidAt('/updates/4/status'),
]

function update(items: readonly BatchItem[], atomic = false): Decision<readonly BatchResult[]> {
  return updateBatch(CAMPAIGN, items, { now: NOW, timezone: 'UTC', atomic })
}

test.each([false, true])('all updates share one revision (atomic: %s)', (atomic) => {
  const { changes, result } = update(GOOD, atomic)
  expect(changes?.at).toBe(NOW)
  expect(changes?.changed).toMatchObject([
    { exp_id: '0001', status: 'running', revision: 7 },
    { exp_id: '0002', status: 'completed', result_path: 'results/2', revision: 7 },
  ])
  expect(result).toEqual(changes?.changed?.map((experiment) => ({ exp_id: experiment.exp_id, experiment })))
})

test('each update is decided alone: bad ones fail alone, in their places', () => {
  const { changes, result } = update([...BAD, ...GOOD])
  expect(result.map(({ exp_id }) => exp_id)).toEqual([...BAD, ...GOOD].map(({ exp_id }) => exp_id))
  expect(result.slice(0, BAD.length)).toEqual(REFUSALS.map((refused, at) => ({ exp_id: BAD[at]?.exp_id, refused })))
  expect(changes).toEqual(update(GOOD).changes)
})

test('when atomic, one bad update refuses all, with the same results', () => {
  const items = [...GOOD, ...BAD]
  expect(() => update(items, true)).toThrow(refusal('batch-refused', { results: update(items).result }))
})

test('updates of one experiment follow one another, and it is changed once', () => {
  const { changes, result } = update([
    { exp_id: '0001', report: { status: 'running', worker: 'gpu-1' } },
    { exp_id: '0001', report: { status: 'running', worker: 'gpu-2' } },
    { exp_id: '0001', report: { status: 'completed' } },
  ])
  expect(result).toMatchObject([
    { experiment: { status: 'running' } },
    { refused: { code: 'already-running' } },
    { experiment: { status: 'completed' } },
  ])
  expect(changes?.changed).toMatchObject([{ exp_id: '0001', status: 'completed', worker: 'gpu-1', revision: 7 }])
})

test('updates that repeat what is known change nothing', () => {
  const { changes, result } = update([{ exp_id: '0003', report: { status: 'completed' } }])
  expect(changes).toBeNull()
  expect(result).toEqual([{ exp_id: '0003', experiment: CAMPAIGN.get('0003') }])
})

test('updates that are all refused change nothing', () => {
  expect(update(BAD).changes).toBeNull()
})
