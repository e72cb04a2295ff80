import { expect, test } from 'vitest'
import { openCampaign, openSample, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { expectProblem } from '../../../support/http/problems.js'
import type { AppReply } from '../../../support/service/app.js'
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
  await campaign.reportBatch(updates)
  return campaign
}

function retry({ call, path }: TestCampaign, body?: object): Promise<AppReply> {
  return call('POST', `${path}/retry`, { body })
}

/** The experiments, of which only the records say by which call they were put back. */
async function asIfByReports({ manifest }: TestCampaign): Promise<unknown> {
  const { experiments } = await manifest()
  return JSON.parse(JSON.stringify(experiments).replaceAll('"closed_by":"retry"', '"closed_by":"requeue"'))
}

test('without a body all that failed goes back to pending, as by reports', async () => {
  const [campaign, byReports] = [await openMixed(), await openMixed()]
  expect((await retry(campaign)).json<Retried>()).toEqual({ retried: ['0001', '0002'], skipped: [], revision: 3 })
  await byReports.reportBatch(['0001', '0002'].map((exp_id) => ({ exp_id, status: 'pending' })))
  expect(await asIfByReports(campaign)).toEqual((await byReports.manifest()).experiments)
})

test('a retry that was made already changes nothing and adds no revision', async () => {
  const campaign = await openMixed()
  await retry(campaign)
  const before = bytesOf(campaign.dataDir)
  expect((await retry(campaign)).json<Retried>()).toEqual({ retried: [], skipped: [], revision: 3 })
  expect(bytesOf(campaign.dataDir)).toEqual(before)
})

test.each([
  [{}, ['0001', '0002']],
  [{ failure_kind: 'oom' }, ['0001']],
  [{ failure_kind: 'timeout' }, []],
  [{ status: 'skipped' }, ['0004']],
  [{ status: 'completed', include_completed: true }, ['0003']],
  [{ include_completed: true }, ['0001', '0002', '0003']],
  [{ exp_ids: ['0002', '0001', '0002'] }, ['0001', '0002']],
  [{ exp_ids: ['0002', '0001'], failure_kind: 'error' }, ['0002']],
  [{ exp_ids: ['0003'], include_completed: true }, ['0003']],
  [{ exp_ids: [] }, []],
])('a retry of %j puts back %j, in manifest order', async (body, ids) => {
  expect((await retry(await openMixed(), body)).json<Retried>().retried).toEqual(ids)
})

test('each id that was asked for and is left as it is gets a reason', async () => {
  const exp_ids = ['0001', '0002', '0003', '0004', '0005', '0006', '0099']
  const reply = await retry(await openMixed(), { exp_ids, failure_kind: 'oom' })
  expect(reply.json()).toMatchObject({
    retried: ['0001'],
    skipped: [
      { exp_id: '0002', reason: 'it failed with error' },
      { exp_id: '0003', reason: 'it is completed' },
      { exp_id: '0004', reason: 'it is skipped' },
      { exp_id: '0005', reason: 'it is running' },
      { exp_id: '0006', reason: 'it is pending' },
      { exp_id: '0099', reason: 'there is no such experiment' },
    ],
  })
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
    attempt: 1,
    result_path: null,
    attempts: [{ attempt: 1, status: 'completed', result_path: 'results/0003.json' }],
  })
})

test('the failed ones of an imported campaign go back too', async () => {
  const campaign = await openSample('02_shuffled_18_failed_interrupted')
  expect((await retry(campaign)).json<Retried>().retried).toEqual(['0047', '0052'])
})
