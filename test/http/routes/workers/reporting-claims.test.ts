import { expect, test } from 'vitest'
import { openCampaign } from '../../../support/campaigns/campaign.js'
import { claim, type ClaimReply } from '../../../support/campaigns/claims.js'
import { expectHeld } from '../../../support/http/held-calls.js'
import { expectProblem } from '../../../support/http/problems.js'
import { readManifest } from '../../../support/store/files.js'

type Campaign = Awaited<ReturnType<typeof openCampaign>>

async function replyOf(campaign: Campaign, body: object = {}): Promise<ClaimReply> {
  const reply = await claim(campaign, body)
  expect(reply.status, reply.text).toBe(200)
  return reply.json<ClaimReply>()
}

/** The status, or the code of the problem, of each report. */
function outcomes({ results = [] }: ClaimReply): (string | number)[] {
  return results.map(({ status, problem }) => problem?.code ?? status)
}

test('what a worker finished and its next experiment are one call, one revision and one write', async () => {
  const campaign = await openCampaign(3)
  const [first] = (await replyOf(campaign)).claims
  const report = { exp_id: '0001', run_id: first?.run_id, status: 'completed', result_path: 'results/1' }
  const reply = await replyOf(campaign, { reports: [report] })
  expect(reply.results).toMatchObject([
    { exp_id: '0001', status: 200, experiment: { status: 'completed', revision: 3 } },
  ])
  expect(reply.claims).toMatchObject([{ experiment: { exp_id: '0002', revision: 3 } }])
  expect(await campaign.manifest()).toMatchObject({ revision: 3, experiments: [{ status: 'completed' }, {}, {}] })
})

test('a claim without reports has no results', async () => {
  const campaign = await openCampaign(1)
  expect(await replyOf(campaign)).not.toHaveProperty('results')
  expect(outcomes(await replyOf(campaign, { reports: [] }))).toEqual([])
})

test('each report is judged by itself, on what those before it made', async () => {
  const campaign = await openCampaign(4)
  await replyOf(campaign, { limit: 2 })
  const reply = await replyOf(campaign, {
    reports: [
      { exp_id: '0001', status: 'failed', error: 'Killed' },
      { exp_id: '0009', status: 'completed' },
      { exp_id: '0002', status: 'completed', attempt: 7 },
      { exp_id: '0002', status: 'done' },
      { exp_id: '0001', status: 'skipped' },
    ],
  })
  expect(outcomes(reply)).toEqual([200, 'experiment-not-found', 'stale-attempt', 'invalid', 200])
  expect(reply.claims).toMatchObject([{ experiment: { exp_id: '0003' } }])
  const statuses = (await campaign.manifest()).experiments.map(({ status }) => status)
  expect(statuses).toEqual(['skipped', 'running', 'running', 'pending'])
})

test('the claim is made on what the reports leave: a failure within its budget may come back at once', async () => {
  const campaign = await openCampaign(1, { settings: { max_retries: 1 } })
  const [first] = (await replyOf(campaign)).claims
  const failed = { exp_id: '0001', run_id: first?.run_id, status: 'failed', error: 'Killed' }
  const reply = await replyOf(campaign, { reports: [failed] })
  expect(reply.results).toMatchObject([{ experiment: { status: 'failed', attempt: 1 } }])
  expect(reply.claims).toMatchObject([{ attempt: 2 }])
  const [second] = reply.claims
  const done = { exp_id: '0001', run_id: second?.run_id, status: 'completed' }
  expect(await replyOf(campaign, { reports: [done] })).toMatchObject({ claims: [], done: true, state: 'completed' })
})

test('reports do not wait: they are on disk while the claim still does', async () => {
  const campaign = await openCampaign(2)
  const [first, second] = (await replyOf(campaign, { limit: 2 })).claims
  await campaign.call('PATCH', campaign.path, { body: { settings: { max_retries: 1 } } })
  const report = { exp_id: '0001', run_id: first?.run_id, status: 'completed' }
  const waiting = replyOf(campaign, { reports: [report], wait_seconds: 30 })
  await expectHeld(waiting)
  expect(readManifest(campaign.dataDir, 'sweep')).toMatch(/"exp_id":"0001".*"status":"completed"/)
  await campaign.report('0002', { status: 'failed', run_id: second?.run_id })
  const reply = await waiting
  expect(outcomes(reply)).toEqual([200])
  expect(reply.claims).toMatchObject([{ experiment: { exp_id: '0002' }, attempt: 2 }])
})

test('a report of what goes on renews its lease', async () => {
  const campaign = await openCampaign(2, { settings: { lease_seconds: 10 } })
  const [first] = (await replyOf(campaign)).claims
  await campaign.elapse(9)
  await replyOf(campaign, { reports: [{ exp_id: '0001', run_id: first?.run_id, status: 'running' }] })
  await campaign.elapse(9)
  expect((await campaign.manifest()).experiments[0]?.status).toBe('running')
})

test('times of reports are read in the zone of the call', async () => {
  const campaign = await openCampaign(1)
  await replyOf(campaign)
  const report = { exp_id: '0001', status: 'completed', completed_at: '2026-03-01 13:30:00' }
  const reply = await campaign.call('POST', `${campaign.path}/claims?timezone=Europe/Berlin`, {
    body: { worker: 'w1', reports: [report] },
  })
  expect(reply.json()).toMatchObject({ results: [{ experiment: { completed_at: '2026-03-01T12:30:00Z' } }] })
})

test('a repeat whose response was lost reports and claims nothing twice', async () => {
  const campaign = await openCampaign(3)
  const [first] = (await replyOf(campaign)).claims
  const body = { claim_id: 'c2', reports: [{ exp_id: '0001', run_id: first?.run_id, status: 'failed' }] }
  const reply = await replyOf(campaign, body)
  const before = readManifest(campaign.dataDir, 'sweep')
  expect(await replyOf(campaign, body)).toEqual(reply)
  expect(readManifest(campaign.dataDir, 'sweep')).toBe(before)
  // For something else: refused whole, reports and all.
  const other = { ...body, reports: [{ exp_id: '0003', status: 'skipped' }] }
  expectProblem(await claim(campaign, other), 409, 'claim-id-used')
  expect(readManifest(campaign.dataDir, 'sweep')).toBe(before)
})

test('a claim that is refused counts no report', async () => {
  const campaign = await openCampaign(2)
  await replyOf(campaign)
  const before = readManifest(campaign.dataDir, 'sweep')
  const reports = [{ exp_id: '0001', status: 'completed' }]
  expectProblem(await claim(campaign, { reports, backend: 'none' }), 422, 'nothing-matches')
  const tooMany = Array.from({ length: 101 }, () => reports[0])
  expectProblem(await claim(campaign, { reports: tooMany }), 400, 'invalid')
  expectProblem(await claim(campaign, { reports: [{ status: 'completed' }] }), 400, 'invalid')
  expect(readManifest(campaign.dataDir, 'sweep')).toBe(before)
})

test('a repeat says nothing on what it has claimed: a report without a run was about the attempt before', async () => {
  const campaign = await openCampaign(1, { settings: { max_retries: 5 } })
  await replyOf(campaign)
  const body = { claim_id: 'c2', reports: [{ exp_id: '0001', status: 'failed', worker: 'w1' }] }
  const first = await replyOf(campaign, body)
  expect(first.claims).toMatchObject([{ attempt: 2 }])
  const before = readManifest(campaign.dataDir, 'sweep')
  const repeats = await Promise.all([1, 2, 3].map(() => replyOf(campaign, body)))
  for (const { claims, results } of repeats) {
    expect(claims).toEqual(first.claims)
    expect(results).toMatchObject([{ status: 200, experiment: { attempt: 2, status: 'running' } }])
  }
  expect(readManifest(campaign.dataDir, 'sweep')).toBe(before)
})

test('a report on the very run that was claimed shows that the response arrived, also after a restart', async () => {
  const campaign = await openCampaign(2)
  const [first] = (await replyOf(campaign, { claim_id: 'c1' })).claims
  await campaign.restart()
  const reports = [{ exp_id: '0001', run_id: first?.run_id, status: 'completed' }]
  expectProblem(await claim(campaign, { claim_id: 'c1', reports }), 409, 'claim-id-used')
})

test('a claim that waits keeps no other large body from its turn', async () => {
  const campaign = await openCampaign(2)
  const [first, second] = (await replyOf(campaign, { limit: 2 })).claims
  await campaign.call('PATCH', campaign.path, { body: { settings: { max_retries: 1 } } })
  const error = 'x'.repeat(2_500_000)
  const waiting = replyOf(campaign, {
    worker: 'w2',
    reports: [
      { exp_id: '0001', run_id: first?.run_id, status: 'skipped' },
      { exp_id: 'none', error },
    ],
    wait_seconds: 60,
  })
  await expectHeld(waiting)
  const failed = await campaign.report('0002', { status: 'failed', run_id: second?.run_id, error })
  expect(failed.status).toBe(200)
  expect((await waiting).claims).toMatchObject([{ attempt: 2 }])
})

test('what was reported is answered also when the claim then cannot wait', async () => {
  const campaign = await openCampaign(2, { settings: { max_retries: 1 } }, { limits: { maxWaiting: 1 } })
  const [first] = (await replyOf(campaign, { limit: 2 })).claims
  const occupied = claim(campaign, { worker: 'w2', wait_seconds: 30 })
  await expectHeld(occupied)
  expectProblem(await claim(campaign, { worker: 'w3', wait_seconds: 30 }), 503, 'too-many-waiting')
  const reports = [{ exp_id: '0001', run_id: first?.run_id, status: 'completed' }]
  const reply = await replyOf(campaign, { reports, wait_seconds: 30 })
  expect([reply.claims, outcomes(reply)]).toEqual([[], [200]])
  await campaign.report('0002', { status: 'failed' })
  expect((await occupied).status).toBe(200)
})

test('near the limit of the campaign the results are those of the reports, and the claim can be repeated', async () => {
  const limits = { maxCampaignBytes: 512 * 1024 }
  const campaign = await openCampaign(500, { settings: { max_retries: 100 } }, { limits })
  const error = 'File "bench.py", line 12, in run\n'.repeat(300)
  const ids = Array.from({ length: 500 }, (_, index) => String(index + 1).padStart(4, '0'))
  for (let time = 0; time < 3; time += 1) {
    await campaign.reportBatch(ids.map((exp_id) => ({ exp_id, status: 'running' })))
    if (time < 2) await campaign.reportBatch(ids.map((exp_id) => ({ exp_id, status: 'failed', error })))
  }
  const reports = ids.slice(0, 50).map((exp_id) => ({ exp_id, attempt: 3, status: 'failed', error }))
  const body = { limit: 20, claim_id: 'near', reports }
  const reply = await replyOf(campaign, body)
  expect(reply.claims.map(({ experiment }) => experiment.exp_id)).toEqual(ids.slice(0, 20))
  for (const { experiment } of reply.results ?? []) expect(experiment).toMatchObject({ status: 'failed', attempt: 3 })
  expect((await replyOf(campaign, body)).claims).toEqual(reply.claims)
})

test('a claim whose outcomes are long does not wait: they would be kept in memory', async () => {
  const campaign = await openCampaign(1)
  await replyOf(campaign)
  const reports = Array.from({ length: 100 }, () => ({ exp_id: 'x'.repeat(256), ['k'.repeat(20_000)]: 1 }))
  const reply = await claim(campaign, { worker: 'w2', wait_seconds: 60, reports })
  expect(reply.json<ClaimReply>().results).toHaveLength(100)
  // Keys of the body are named, and not given back at full length.
  expect(reply.text.length).toBeLessThan(1_000_000)
})
