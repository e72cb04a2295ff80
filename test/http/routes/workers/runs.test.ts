import { expect, test } from 'vitest'
import type { ExperimentWithRun } from '#campaignd/domain/views/experiment-with-run.js'
import { openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { claim, type ClaimReply, heartbeat } from '../../../support/campaigns/claims.js'
import { campaignDraft } from '../../../support/campaigns/drafts.js'
import { expectProblem } from '../../../support/http/problems.js'

/** The run of the next experiment, which is claimed by w1. */
async function claimRun(campaign: TestCampaign): Promise<string> {
  const [first] = (await claim(campaign)).json<ClaimReply>().claims
  return first?.run_id ?? 'nothing was claimed'
}

async function currentRun({ call, path }: TestCampaign, expId = '0001'): Promise<string | null> {
  return (await call('GET', `${path}/experiments/${expId}`)).json<ExperimentWithRun>().run_id
}

test('a run is reported and kept alive by its run_id alone', async () => {
  const campaign = await openCampaign(2)
  const run_id = await claimRun(campaign)
  expect(await currentRun(campaign)).toBe(run_id)
  expect((await heartbeat(campaign, '0001', { run_id })).status).toBe(200)
  const finished = await campaign.report('0001', { status: 'completed', run_id, result_path: 'results/1' })
  expect(finished.json()).toMatchObject({ status: 'completed', worker: 'w1', attempt: 1, run_id })
  const again = await campaign.report('0001', { status: 'completed', run_id, result_path: 'results/1' })
  expect(again.json()).toEqual(finished.json())
})

test('a start by a report gives the run_id too, and may be repeated by it', async () => {
  const campaign = await openCampaign(1)
  expect(await currentRun(campaign)).toBeNull()
  const started = await campaign.report('0001', { status: 'running', lease_seconds: 60 })
  const { run_id } = started.json<ExperimentWithRun>()
  expect(run_id).toMatch(/^[\w-]{22}$/)
  const again = await campaign.report('0001', { status: 'running', run_id })
  expect(again.json()).toEqual(started.json())
})

test('the run of an attempt that was replaced is refused, by reports, batches and heartbeats, and changes nothing', async () => {
  const campaign = await openCampaign(1)
  const stale = await claimRun(campaign)
  await campaign.report('0001', { status: 'pending' })
  const fresh = await claimRun(campaign)
  expect(fresh).not.toBe(stale)
  const before = await campaign.manifest()
  for (const status of ['running', 'completed', 'failed', 'pending', 'skipped']) {
    const reply = await campaign.report('0001', { status, run_id: stale })
    expectProblem(reply, 409, 'stale-attempt')
    expect(reply.json()).toMatchObject({ experiment: { exp_id: '0001', attempt: 2 } })
  }
  const batch = await campaign.reportBatch([{ exp_id: '0001', status: 'completed', run_id: stale }])
  expect(batch.json()).toMatchObject({ results: [{ status: 409, problem: { code: 'stale-attempt' } }] })
  expectProblem(await heartbeat(campaign, '0001', { run_id: stale }), 409, 'stale-attempt')
  expect(await campaign.manifest()).toEqual(before)
  const done = await campaign.reportBatch([{ exp_id: '0001', status: 'completed', run_id: fresh }])
  expect(done.json()).toMatchObject({ results: [{ status: 200 }] })
})

test('a worker of a campaign that was deleted and made again is refused wherever it names its run', async () => {
  const campaign = await openCampaign(1)
  const stale = await claimRun(campaign)
  await campaign.call('DELETE', `${campaign.path}?force=true`)
  await campaign.call('POST', '/v1/campaigns', { body: campaignDraft(1) })
  const fresh = await claimRun(campaign)
  expect(fresh).not.toBe(stale)
  expectProblem(await heartbeat(campaign, '0001', { run_id: stale }), 409, 'stale-attempt')
  expectProblem(await campaign.report('0001', { status: 'completed', run_id: stale }), 409, 'stale-attempt')
  // A number and a name cannot tell one life from the other.
  expect((await heartbeat(campaign, '0001', { attempt: 1, worker: 'w1' })).status).toBe(200)
})

test('what is named beside the run must agree with it', async () => {
  const campaign = await openCampaign(1)
  const run_id = await claimRun(campaign)
  expectProblem(await heartbeat(campaign, '0001', { run_id, attempt: 2 }), 409, 'stale-attempt')
  expectProblem(await heartbeat(campaign, '0001', { run_id, worker: 'w2' }), 409, 'not-the-owner')
  expectProblem(await campaign.report('0001', { status: 'completed', run_id, attempt: 2 }), 409, 'stale-attempt')
  expectProblem(await campaign.report('0001', { status: 'completed', run_id, worker: 'w2' }), 409, 'not-the-owner')
  expect((await heartbeat(campaign, '0001', { run_id, attempt: 1, worker: 'w1' })).status).toBe(200)
})

test('a run of another experiment, and one that never was, are refused', async () => {
  const campaign = await openCampaign(2)
  const run_id = await claimRun(campaign)
  await claimRun(campaign)
  for (const foreign of [run_id, 'nobody']) {
    expectProblem(await campaign.report('0002', { status: 'completed', run_id: foreign }), 409, 'stale-attempt')
    expectProblem(await heartbeat(campaign, '0002', { run_id: foreign }), 409, 'stale-attempt')
  }
})

test('a heartbeat that names no run is invalid', async () => {
  const campaign = await openCampaign(1)
  await claimRun(campaign)
  expectProblem(await heartbeat(campaign, '0001', { worker: 'w1' }), 400, 'invalid')
})

test('manifest and list do not carry a run_id, and a manifest with one can be imported', async () => {
  const campaign = await openCampaign(1)
  const run_id = await claimRun(campaign)
  const list = await campaign.call('GET', `${campaign.path}/experiments`)
  expect(list.text).not.toContain(run_id)
  expect((await campaign.call('GET', campaign.path)).text).not.toContain(run_id)
  const { experiments, ...header } = await campaign.manifest()
  const body = { ...header, campaign_id: 'copy', experiments: experiments.map((one) => ({ ...one, run_id })) }
  expect((await campaign.call('POST', '/v1/campaigns', { body })).status).toBe(201)
})
