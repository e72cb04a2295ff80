import { expect, test } from 'vitest'
import type { Campaign } from '#campaignd/domain/campaign/campaign.js'
import { retry, type RetryRequest } from '#campaignd/domain/operations/retry.js'
import { campaignOf } from '../../support/campaigns/drafts.js'
import { invalidAt } from '../../support/campaigns/refusal.js'
import { after, NOW } from '../../support/campaigns/reports.js'

const CAMPAIGN = campaignOf(
  [
    {},
    { status: 'running' },
    { status: 'completed', result_path: 'results/3' },
    { status: 'failed', failure_kind: 'oom', error: 'Killed', attempt: 2 },
    { status: 'skipped' },
    { status: 'failed', failure_kind: 'timeout' },
  ],
  { revision: 6 },
)

function retried(request: RetryRequest, campaign = CAMPAIGN): readonly string[] {
  return retry(campaign, request, NOW).result.retried
}

function carriedOut(request: RetryRequest, campaign = CAMPAIGN): Campaign {
  const { changes } = retry(campaign, request, NOW)
  return changes === null ? campaign : campaign.with(changes)
}

test.each<[RetryRequest, string[]]>([
  [{}, ['0004', '0006']],
  [{ failure_kind: 'oom' }, ['0004']],
  [{ failure_kind: 'lost' }, []],
  [{ status: 'skipped' }, ['0005']],
  [{ status: 'completed', include_completed: true }, ['0003']],
  [{ include_completed: true }, ['0003', '0004', '0006']],
  [{ exp_ids: ['0006', '0004', '0006'] }, ['0004', '0006']],
  [{ exp_ids: ['0006', '0004'], failure_kind: 'timeout' }, ['0006']],
  [{ exp_ids: ['0003'], include_completed: true }, ['0003']],
  [{ exp_ids: [] }, []],
])('%j puts back %j, in manifest order', (request, ids) => {
  expect(retried(request)).toEqual(ids)
})

test('experiments that are named and not retried have a reason each', () => {
  const exp_ids = ['0001', '0002', '0003', '0004', '0005', '0006', '0099']
  const { skipped } = retry(CAMPAIGN, { exp_ids, failure_kind: 'oom' }, NOW).result
  expect(skipped).toEqual([
    { exp_id: '0001', reason: 'it is pending' },
    { exp_id: '0002', reason: 'it is running' },
    { exp_id: '0003', reason: 'it is completed' },
    { exp_id: '0005', reason: 'it is skipped' },
    { exp_id: '0006', reason: 'it failed with timeout' },
    { exp_id: '0099', reason: 'there is no such experiment' },
  ])
})

test('an experiment that is put back is requeued as by a report, under the next revision', () => {
  const failed = CAMPAIGN.get('0004')
  const { changes, result } = retry(CAMPAIGN, { failure_kind: 'oom' }, NOW)
  expect(result.revision).toBe(7)
  expect(changes).toEqual({ at: NOW, changed: [failed && { ...after(failed, { status: 'pending' }), revision: 7 }] })
})

test('a completed experiment that is put back closes its attempt with its result', () => {
  const rerun = carriedOut({ exp_ids: ['0003'], include_completed: true }).get('0003')
  expect(rerun).toMatchObject({
    status: 'pending',
    attempt: 1,
    result_path: null,
    attempts: [{ attempt: 1, status: 'completed', result_path: 'results/3' }],
  })
})

test('completed ones are put back only with include_completed', () => {
  expect(() => retried({ status: 'completed' })).toThrow(invalidAt('/status'))
})

test('a repeated retry finds them pending and changes nothing', () => {
  const once = carriedOut({})
  expect(retry(once, {}, NOW)).toEqual({ changes: null, result: { retried: [], skipped: [], revision: 7 } })
})

test('a dry run of a retry returns the same and changes nothing', () => {
  const { changes, result } = retry(CAMPAIGN, { dry_run: true }, NOW)
  expect(changes).toBeNull()
  expect(result).toEqual({ retried: ['0004', '0006'], skipped: [], revision: 6 })
})
