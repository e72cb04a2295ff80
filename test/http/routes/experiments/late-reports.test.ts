import { describe, expect, test } from 'vitest'
import type { ExperimentWithRun } from '#campaignd/domain/views/experiment-with-run.js'
import { openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { claim, type ClaimReply, heartbeat } from '../../../support/campaigns/claims.js'
import { expectProblem } from '../../../support/http/problems.js'

interface Run {
  readonly campaign: TestCampaign
  readonly run_id: string
}

async function openRun(): Promise<Run> {
  const campaign = await openCampaign(1)
  const [claimed] = (await claim(campaign, { worker: 'gpu-1' })).json<ClaimReply>().claims
  return { campaign, run_id: claimed?.run_id ?? '' }
}

const PUT_BACK: readonly [string, (campaign: TestCampaign) => Promise<unknown>][] = [
  ['a requeue', ({ report }) => report('0001', { status: 'pending' })],
  [
    'a resume',
    async ({ report, call, path }) => {
      await report('0001', { status: 'failed', attempt: 1 })
      await call('POST', `${path}/resume`, { body: {} })
    },
  ],
  [
    'a pause',
    async ({ call, path, elapse }) => {
      await call('PATCH', `${path}?cancel_running=true`, { body: { settings: { paused: true } } })
      await elapse(61)
    },
  ],
]

describe.each(PUT_BACK)('after %s', (_, putBack) => {
  test('the completion of the newest attempt still counts, as long as nobody started another one', async () => {
    const { campaign, run_id } = await openRun()
    await putBack(campaign)
    const report = { status: 'completed', run_id, result_path: 'results/1', metrics: { tokens_per_s: 812.4 } }
    const late = await campaign.report('0001', report)
    expect(late.json()).toMatchObject({
      ...{ status: 'completed', attempt: 1, retry_count: 0, worker: 'gpu-1', run_id, attempts: [], error: null },
      ...{ result_path: 'results/1', metrics: { tokens_per_s: 812.4 }, started_at: '2026-03-01T12:00:00.000Z' },
    })
    expect((await campaign.report('0001', report)).json()).toEqual(late.json())
  })

  test('it counts too when it names attempt and worker, and in a batch', async () => {
    const { campaign } = await openRun()
    await putBack(campaign)
    const by = { status: 'completed', attempt: 1 }
    expectProblem(await campaign.report('0001', { ...by, worker: 'gpu-2' }), 409, 'not-the-owner')
    const batch = await campaign.reportBatch([{ exp_id: '0001', ...by, worker: 'gpu-1' }])
    expect(batch.json()).toMatchObject({ results: [{ status: 200, experiment: { status: 'completed', attempt: 1 } }] })
  })

  test('its failure is stale, and its heartbeat says stop', async () => {
    const { campaign, run_id } = await openRun()
    await putBack(campaign)
    expectProblem(await campaign.report('0001', { status: 'failed', run_id }), 409, 'stale-attempt')
    expectProblem(await heartbeat(campaign, '0001', { run_id }), 409, 'stale-attempt')
  })

  test('it is stale once another attempt was started', async () => {
    const { campaign, run_id } = await openRun()
    await putBack(campaign)
    await campaign.report('0001', { status: 'running', worker: 'gpu-2' })
    expectProblem(await campaign.report('0001', { status: 'completed', run_id }), 409, 'stale-attempt')
  })
})

test('it is stale after a retry, which wants another result', async () => {
  const { campaign, run_id } = await openRun()
  await campaign.report('0001', { status: 'failed', run_id })
  await campaign.call('POST', `${campaign.path}/retry`, { body: {} })
  expectProblem(await campaign.report('0001', { status: 'completed', run_id }), 409, 'stale-attempt')
})

test('it is stale when the config changed, also when the experiment had been put back before', async () => {
  for (const isPutBack of [false, true]) {
    const { campaign, run_id } = await openRun()
    if (isPutBack) await campaign.report('0001', { status: 'pending' })
    const body = {
      config_hash: 'new',
      experiments: [{ exp_id: '0001', config_hash: 'new' }],
      on_config_change: 'rerun_changed',
    }
    expect((await campaign.call('POST', `${campaign.path}/resume`, { body })).status).toBe(200)
    expectProblem(await campaign.report('0001', { status: 'completed', run_id }), 409, 'stale-attempt')
  }
})

test('without a name of the run, a completion of what is pending is that of a new attempt', async () => {
  const { campaign } = await openRun()
  await campaign.report('0001', { status: 'pending' })
  const done = await campaign.report('0001', { status: 'completed', worker: 'gpu-1' })
  expect(done.json<ExperimentWithRun>()).toMatchObject({ status: 'completed', attempt: 2 })
})
