import { expect, test } from 'vitest'
import { etagOf, openCampaign, openSample, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { expectProblem } from '../../../support/http/problems.js'
import type { Answer } from '../../../support/service/app.js'
import { bytesOf } from '../../../support/store/files.js'

interface Retried {
  readonly retried: readonly string[]
  readonly skipped: readonly { readonly exp_id: string; readonly reason: string }[]
  readonly revision: number
}

/** 0001 failed by oom, 0002 by an error, 0003 completed, 0004 skipped, 0005 running, 0006 pending. */
async function openMixed(): Promise<TestCampaign> {
  const campaign = await openCampaign(6)
  const updates = [
    { exp_id: '0001', status: 'failed', failure_kind: 'oom', error: 'CUDA out of memory' },
    { exp_id: '0002', status: 'failed', error: 'Exit code 1' },
    { exp_id: '0003', status: 'completed', result_path: 'results/0003.json' },
    { exp_id: '0004', status: 'skipped' },
    { exp_id: '0005', status: 'running' },
  ]
  await campaign.call('PATCH', `${campaign.path}/experiments`, { body: { updates } })
  return campaign
}

function retry({ call, path }: TestCampaign, body?: object, headers = {}): Promise<Answer> {
  return call('POST', `${path}/retry`, { body, headers })
}

async function statusesOf({ manifest }: TestCampaign): Promise<string[]> {
  return (await manifest()).experiments.map(({ status }) => status)
}

test('without a body all that failed goes back to pending, and its attempt into the history', async () => {
  const campaign = await openMixed()
  const answer = await retry(campaign)
  expect(answer.json<Retried>()).toEqual({ retried: ['0001', '0002'], skipped: [], revision: 3 })
  expect(await statusesOf(campaign)).toEqual(['pending', 'pending', 'completed', 'skipped', 'running', 'pending'])
  expect((await campaign.manifest()).experiments[0]).toMatchObject({
    error: null,
    failure_kind: null,
    completed_at: null,
    attempt: 1,
    revision: 3,
    attempts: [{ attempt: 1, status: 'failed', failure_kind: 'oom', error: 'CUDA out of memory' }],
  })
})

test('a retry that was made already changes nothing and adds no revision', async () => {
  const campaign = await openMixed()
  await retry(campaign)
  const before = bytesOf(campaign.dataDir)
  expect((await retry(campaign)).json<Retried>()).toEqual({ retried: [], skipped: [], revision: 3 })
  expect(bytesOf(campaign.dataDir)).toEqual(before)
})

test('only what is asked for goes back, by kind of failure, by status and by id', async () => {
  const campaign = await openMixed()
  const retried = async (body: object) => (await retry(campaign, { ...body, dry_run: true })).json<Retried>().retried
  expect(await retried({})).toEqual(['0001', '0002'])
  expect(await retried({ failure_kind: 'oom' })).toEqual(['0001'])
  expect(await retried({ failure_kind: 'timeout' })).toEqual([])
  expect(await retried({ status: 'skipped' })).toEqual(['0004'])
  expect(await retried({ status: 'completed', include_completed: true })).toEqual(['0003'])
  expect(await retried({ include_completed: true })).toEqual(['0001', '0002', '0003'])
  expect(await retried({ exp_ids: ['0002', '0001', '0002'] })).toEqual(['0001', '0002'])
  expect(await retried({ exp_ids: [] })).toEqual([])
})

test('each id that was asked for and is left as it is gets a reason', async () => {
  const campaign = await openMixed()
  const exp_ids = ['0006', '0005', '0004', '0003', '0002', '0001', '0099']
  const { retried, skipped } = (await retry(campaign, { exp_ids, failure_kind: 'oom' })).json<Retried>()
  expect(retried).toEqual(['0001'])
  expect(skipped.map(({ exp_id }) => exp_id).sort()).toEqual(['0002', '0003', '0004', '0005', '0006', '0099'])
  for (const { reason } of skipped) expect(reason).not.toBe('')
})

test('a dry run tells what would go back and writes nothing', async () => {
  const campaign = await openMixed()
  const before = bytesOf(campaign.dataDir)
  const dry = (await retry(campaign, { dry_run: true })).json<Retried>()
  expect(dry).toEqual({ retried: ['0001', '0002'], skipped: [], revision: 2 })
  expect(bytesOf(campaign.dataDir)).toEqual(before)
})

test('completed ones go back only with include_completed', async () => {
  const campaign = await openMixed()
  const problem = expectProblem(await retry(campaign, { status: 'completed' }), 400, 'invalid')
  expect(problem.errors).toMatchObject([{ pointer: '/status' }])

  await retry(campaign, { status: 'completed', include_completed: true })
  expect((await campaign.manifest()).experiments[2]).toMatchObject({
    status: 'pending',
    result_path: null,
    attempts: [{ attempt: 1, status: 'completed', result_path: 'results/0003.json' }],
  })
})

test('the failed ones of an imported campaign go back too', async () => {
  const campaign = await openSample('02_shuffled_18_failed_interrupted')
  expect((await retry(campaign)).json<Retried>().retried).toEqual(['0047', '0052'])
})

test('If-Match binds a retry to the version of the campaign', async () => {
  const campaign = await openMixed()
  const tag = etagOf(await campaign.call('GET', campaign.path))
  await campaign.report('0006', { status: 'running' })
  expectProblem(await retry(campaign, {}, { 'if-match': tag }), 412, 'precondition-failed')
  const current = etagOf(await campaign.call('GET', campaign.path))
  expect((await retry(campaign, {}, { 'if-match': current })).status).toBe(200)
})

test('a retry of a campaign that there is not is not found', async () => {
  const { call } = await openCampaign(1)
  expectProblem(await call('POST', '/v1/campaigns/nothing/retry'), 404, 'campaign-not-found')
})
