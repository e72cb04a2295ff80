import { describe, expect, test } from 'vitest'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { MergeResult } from '#campaignd/domain/operations/merge/merge.js'
import { openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { claim, type ClaimReply, heartbeat } from '../../../support/campaigns/claims.js'
import { campaignDraft, experimentDraft } from '../../../support/campaigns/drafts.js'
import { sampleText } from '../../../support/campaigns/samples.js'
import { expectProblem } from '../../../support/http/problems.js'
import { type AppReply, openApp } from '../../../support/service/app.js'
import { bytesOf } from '../../../support/store/files.js'

const AHEAD = {
  status: 'completed',
  result_path: 'results/1',
  started_at: '2026-02-04T08:00:00Z',
  completed_at: '2026-02-04T09:00:00Z',
  metrics: { tokens_per_s: 812.4 },
} as const

function post({ call }: Pick<TestCampaign, 'call'>, body: object, query = '?on_exists=merge'): Promise<AppReply> {
  return call('POST', `/v1/campaigns${query}`, { body })
}

/** The draft of the campaign, with what is given for some of its experiments. */
function draftWith(...given: readonly object[]) {
  const draft = campaignDraft(3)
  return { ...draft, experiments: draft.experiments.map((one, index) => ({ ...one, ...given[index] })) }
}

async function experimentsOf({ manifest }: TestCampaign): Promise<readonly Experiment[]> {
  return (await manifest()).experiments
}

describe('?on_exists=merge', () => {
  test('creates a campaign that there is not', async () => {
    expect((await post(await openApp(), campaignDraft(2))).status).toBe(201)
  })

  test('takes over what is further ahead, appends what is missing, and keeps the rest, in one revision', async () => {
    const campaign = await openCampaign(3, { labels: { team: 'inference' } })
    await campaign.report('0002', { status: 'failed', error: 'Killed' })
    await campaign.report('0003', { status: 'completed', result_path: 'ours' })
    const body = draftWith(AHEAD, AHEAD, { status: 'failed', error: 'theirs' })
    const more = [experimentDraft('0004', { status: 'completed' }), experimentDraft('0005')]
    const reply = await post(campaign, {
      ...body,
      campaign_name: 'theirs',
      experiments: [...body.experiments, ...more],
    })
    expect(reply.json<MergeResult>()).toEqual({ merged: 2, appended: 2, kept: 1, held: 0, revision: 4 })
    const [first, second, third, ...appended] = await experimentsOf(campaign)
    expect(first).toMatchObject({ ...AHEAD, attempt: 1, error: null, failure_kind: null, revision: 4 })
    expect(second).toMatchObject({ ...AHEAD, attempt: 2, error: null, failure_kind: null, failures: 1 })
    expect(second?.attempts).toMatchObject([{ attempt: 1, status: 'failed', error: 'Killed', closed_by: 'start' }])
    expect(third).toMatchObject({ status: 'completed', result_path: 'ours', revision: 3 })
    expect(appended.map(({ exp_id, status }) => [exp_id, status])).toEqual([
      ['0004', 'completed'],
      ['0005', 'pending'],
    ])
    expect(await campaign.manifest()).toMatchObject({ campaign_name: 'precision sweep', labels: { team: 'inference' } })
  })

  test('counts a failure that it takes over once, also when its kind is told later', async () => {
    const campaign = await openCampaign(3)
    await campaign.report('0001', { status: 'failed', error: 'Killed' })
    await campaign.report('0001', { status: 'running' })
    await post(campaign, draftWith({ status: 'failed', attempt: 5, error: 'CUDA out of memory' }))
    const used = async () => (await experimentsOf(campaign)).map(({ failures, losses }) => [failures, losses])[0]
    expect(await used()).toEqual([2, 0])
    const told = await campaign.report('0001', { status: 'failed', failure_kind: 'interrupted' })
    expect(told.status, told.text).toBe(200)
    expect(await used()).toEqual([1, 1])
  })

  test('changes nothing when it is repeated', async () => {
    const campaign = await openCampaign(3)
    await post(campaign, draftWith(AHEAD))
    const before = bytesOf(campaign.dataDir)
    const again = await post(campaign, draftWith(AHEAD))
    expect(again.json<MergeResult>()).toEqual({ merged: 0, appended: 0, kept: 3, held: 0, revision: 2 })
    expect(bytesOf(campaign.dataDir)).toEqual(before)
  })

  test('leaves what runs under a live lease, and fences off what it replaces', async () => {
    const campaign = await openCampaign(3)
    const [held] = (await claim(campaign)).json<ClaimReply>().claims
    const started = (await campaign.report('0002', { status: 'running' })).json<{ run_id: string }>()
    const { merged, held: count } = (await post(campaign, draftWith(AHEAD, AHEAD))).json<MergeResult>()
    expect([merged, count]).toEqual([1, 1])
    expect((await heartbeat(campaign, '0001', { run_id: held?.run_id })).status).toBe(200)
    const [first, second] = await experimentsOf(campaign)
    expect([first?.status, second?.status]).toEqual(['running', 'completed'])
    for (const status of ['failed', 'completed']) {
      const report = { status, run_id: started.run_id, result_path: 'ours' }
      expectProblem(await campaign.report('0002', report), 409, 'stale-attempt')
    }
  })

  test('keeps the record of an attempt that a later one replaces, and never counts attempts down', async () => {
    const campaign = await openCampaign(3)
    for (const exp_id of ['0001', '0002']) await campaign.report(exp_id, { status: 'failed', error: 'ours' })
    await campaign.report('0002', { status: 'running' })
    await campaign.report('0002', { status: 'failed', error: 'ours again' })
    await post(campaign, draftWith({ ...AHEAD, attempt: 3 }, { ...AHEAD, attempt: 1 }))
    const [first, second] = await experimentsOf(campaign)
    expect(first).toMatchObject({
      attempt: 3,
      retry_count: 2,
      attempts: [{ attempt: 1, error: 'ours', closed_by: 'start' }],
    })
    expect(second).toMatchObject({ attempt: 3, retry_count: 2 })
    expect(second?.attempts).toMatchObject([
      { attempt: 1, error: 'ours' },
      { attempt: 2, error: 'ours again' },
    ])
  })

  test('a run that was put back cannot change what is merged since, and a retry keeps that in the record', async () => {
    const campaign = await openCampaign(3)
    const { run_id } = (await campaign.report('0001', { status: 'running' })).json<{ run_id: string }>()
    await campaign.report('0001', { status: 'pending' })
    await post(campaign, draftWith(AHEAD))
    const late = { status: 'completed', run_id, result_path: 'ours', metrics: { m: 99 } }
    expectProblem(await campaign.report('0001', late), 409, 'stale-attempt')
    await campaign.call('POST', `${campaign.path}/retry`, { body: { status: 'completed', include_completed: true } })
    const [first] = await experimentsOf(campaign)
    expect(first?.attempts).toMatchObject([
      { attempt: 1, closed_by: 'requeue' },
      { attempt: 2, result_path: 'results/1', metrics: AHEAD.metrics, closed_by: 'retry' },
    ])
  })

  test('refuses another definition of an experiment, and changes nothing', async () => {
    const campaign = await openCampaign(3)
    const before = bytesOf(campaign.dataDir)
    const reply = await post(campaign, draftWith(AHEAD, {}, { config_hash: 'other' }))
    expect(expectProblem(reply, 409, 'experiment-exists').experiment).toMatchObject({ exp_id: '0003' })
    expect(bytesOf(campaign.dataDir)).toEqual(before)
  })

  test('needs the id of the campaign', async () => {
    const { campaign_id: _id, ...body } = campaignDraft(1)
    expectProblem(await post(await openApp(), body), 400, 'invalid')
  })

  test('takes over the progress of a newer file of the Python tool', async () => {
    const app = await openApp()
    const text = sampleText('02_shuffled_18_failed_interrupted')
    await app.call('POST', '/v1/campaigns', { rawBody: text })
    const newer = sampleText('03_shuffled_18_resumed_then_crashed')
    const reply = await app.call('POST', '/v1/campaigns?on_exists=merge', { rawBody: newer })
    expect(reply.json<MergeResult>()).toMatchObject({ merged: 4, appended: 0 })
    const progress = await app.call('GET', '/v1/campaigns/bbb9fb75/progress')
    expect(progress.json()).toMatchObject({ counts: { completed: 13 } })
  })
})

test('a refusal says how the body differs, and what to do', async () => {
  const campaign = await openCampaign(3)
  await campaign.report('0003', { status: 'completed' })
  const body = { ...draftWith(AHEAD, { config_hash: 'other' }), settings: { max_retries: 5 } }
  const experiments = [...body.experiments.slice(0, 2), experimentDraft('0009')]
  const problem = expectProblem(await post(campaign, { ...body, experiments }, ''), 409, 'campaign-exists')
  expect(problem).toMatchObject({
    difference: {
      fields: ['settings'],
      added: { count: 1, first: ['/experiments/2'] },
      removed: { count: 1, first: ['0003'] },
      changed: { count: 1, first: ['/experiments/1'] },
      further: { count: 1, first: ['/experiments/0'] },
    },
  })
  expect(problem.detail).toContain('settings; 1 experiment added (/experiments/2); 1 experiment removed (0003)')
  expect(problem.detail).toContain('?on_exists=merge')
})

test('?campaign_id= imports beside a campaign that has the id of the body', async () => {
  const campaign = await openCampaign(2)
  const copy = await post(campaign, campaignDraft(3), '?campaign_id=copy')
  expect(copy.status).toBe(201)
  expect(copy.headers['location']).toBe('/v1/campaigns/copy')
  expect((await post(campaign, campaignDraft(3), '?campaign_id=copy')).status).toBe(200)
  expectProblem(await post(campaign, campaignDraft(3), '?campaign_id=No'), 400, 'invalid')
})
