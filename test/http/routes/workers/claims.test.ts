import { expect, test } from 'vitest'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { claim, claimedIds, type ClaimReply } from '../../../support/campaigns/claims.js'
import { experimentDraft } from '../../../support/campaigns/drafts.js'
import { expectHeld, expectNoneLeft } from '../../../support/http/held-calls.js'
import { expectProblem } from '../../../support/http/problems.js'
import { readManifest } from '../../../support/store/files.js'
import { TIME_LIMIT } from '../../../support/time-limit.js'

/** 0001 and 0003 of vllm, 0002 and 0004 of pytorch in a container of its own each. */
function openTwoBackends(max_retries = 0): Promise<TestCampaign> {
  return openCampaign(0, {
    settings: { max_retries, max_losses: 0 },
    experiments: [
      experimentDraft('0001'),
      experimentDraft('0002', { backend: 'pytorch', container: 'torch-a' }),
      experimentDraft('0003'),
      experimentDraft('0004', { backend: 'pytorch', container: 'torch-b' }),
    ],
  })
}

async function replyOf(campaign: TestCampaign, body: object = {}): Promise<ClaimReply> {
  return (await claim(campaign, body)).json<ClaimReply>()
}

/** Asks for a claim with a long wait, over a connection. */
function fetchClaim(url: string, { path }: TestCampaign, signal: AbortSignal | null = null): Promise<Response> {
  const body = JSON.stringify({ worker: 'w', wait_seconds: 60 })
  const headers = { 'content-type': 'application/json' }
  return fetch(`${url}${path}/claims`, { method: 'POST', headers, body, signal })
}

test('a claim starts the next experiment, leases it to the worker, and is on disk before the response', async () => {
  const campaign = await openCampaign(3)
  const { claims, state, done } = await replyOf(campaign, { worker: 'gpu-1', claim_id: 'c1' })
  const stored = JSON.parse(readManifest(campaign.dataDir, 'sweep')) as CampaignManifest
  expect(claims).toEqual([
    {
      experiment: stored.experiments[0],
      run_id: claims[0]?.run_id,
      attempt: 1,
      lease_seconds: 60,
      lease_expires_at: '2026-03-01T12:01:00.000Z',
      heartbeat_seconds: 20,
    },
  ])
  expect(stored.experiments[0]).toMatchObject({
    status: 'running',
    attempt: 1,
    worker: 'gpu-1',
    started_at: '2026-03-01T12:00:00.000Z',
    lease: { seconds: 60, claim_id: 'c1' },
    revision: 2,
  })
  expect({ state, done, revision: stored.revision }).toEqual({ state: 'running', done: false, revision: 2 })
})

test('claims go through the manifest in order, as many at once as are asked for', async () => {
  const campaign = await openCampaign(5)
  expect(await claimedIds(campaign, { limit: 2 })).toEqual(['0001', '0002'])
  expect(await claimedIds(campaign, { limit: 100 })).toEqual(['0003', '0004', '0005'])
  expect(await claimedIds(campaign, { limit: 100 })).toEqual([])
})

test('a claim is for a backend, a container or both', async () => {
  const campaign = await openTwoBackends()
  expect(await claimedIds(campaign, { backend: 'pytorch' })).toEqual(['0002'])
  expect(await claimedIds(campaign, { container: 'torch-b', backend: 'vllm' })).toEqual([])
  expect(await claimedIds(campaign, { container: 'torch-b', limit: 9 })).toEqual(['0004'])
  expect(await claimedIds(campaign, { limit: 9 })).toEqual(['0001', '0003'])
})

test('failed ones that have retries left come after all pending ones', async () => {
  const campaign = await openCampaign(3, { settings: { max_retries: 1 } })
  await campaign.report('0001', { status: 'failed' })
  expect(await claimedIds(campaign, { limit: 2 })).toEqual(['0002', '0003'])
  expect(await claimedIds(campaign, { limit: 2 })).toEqual(['0001'])
  await campaign.report('0001', { status: 'failed', attempt: 2 })
  expect(await claimedIds(campaign, { limit: 2 })).toEqual([])
  const [first] = (await campaign.manifest()).experiments
  expect(first).toMatchObject({ retry_count: 1, attempts: [{ attempt: 1, status: 'failed' }] })
})

test('a hundred workers that ask at once get a hundred different experiments', async () => {
  const campaign = await openCampaign(100)
  const asked = Array.from({ length: 100 }, (_, index) => claimedIds(campaign, { worker: `w${index}` }))
  const ids = (await Promise.all(asked)).flat()
  expect(new Set(ids).size).toBe(100)
  const { experiments } = await campaign.manifest()
  expect(new Set(experiments.map(({ worker }) => worker)).size).toBe(100)
})

test('the lease is as long as the claim asks, or as the campaign has it set', async () => {
  const campaign = await openCampaign(2, { settings: { lease_seconds: 7 } })
  const [first] = (await replyOf(campaign)).claims
  expect(first).toMatchObject({ lease_seconds: 7, heartbeat_seconds: 2.333 })
  const [second] = (await replyOf(campaign, { lease_seconds: 1 })).claims
  expect(second).toMatchObject({ lease_seconds: 1, lease_expires_at: '2026-03-01T12:00:01.000Z' })
})

test('a paused campaign hands out nothing, and is not done', async () => {
  const campaign = await openCampaign(1, { settings: { paused: true } })
  expect(await replyOf(campaign)).toEqual({ claims: [], state: 'paused', done: false })
})

test('done is decided for what the worker can run', async () => {
  const campaign = await openTwoBackends()
  expect(await replyOf(campaign, { backend: 'vllm' })).toMatchObject({ done: false })
  expect(await replyOf(campaign, { backend: 'vllm' })).toMatchObject({ done: true, state: 'running' })
  expect(await replyOf(campaign, { backend: 'vllm' })).toEqual({ claims: [], done: true, state: 'running' })
  expect(await replyOf(campaign, { backend: 'pytorch', container: 'torch-a' })).toMatchObject({ done: true })
  expect(await replyOf(campaign)).toMatchObject({ done: true })
})

test('a worker whose backend or container no experiment has is told what there is, and not that all is done', async () => {
  const campaign = await openTwoBackends()
  const unknown = expectProblem(await claim(campaign, { backend: 'vLLM' }), 422, 'nothing-matches')
  expect(unknown).toMatchObject({ backends: ['vllm', 'pytorch'] })
  expect(unknown.detail).toContain('"vllm", "pytorch"')
  const waiting = await claim(campaign, { container: 'torch', backend: 'pytorch', wait_seconds: 60 })
  expect(expectProblem(waiting, 422, 'nothing-matches')).toMatchObject({ containers: ['vllm', 'torch-a', 'torch-b'] })
  expect(await replyOf(campaign, { container: 'torch-a', backend: 'vllm' })).toMatchObject({ done: true })
})

test('it is not done while one runs that may be claimed again if it fails', async () => {
  const campaign = await openTwoBackends(1)
  await replyOf(campaign, { backend: 'vllm', limit: 2 })
  expect(await replyOf(campaign, { backend: 'vllm' })).toMatchObject({ claims: [], done: false })
  await campaign.report('0001', { status: 'completed' })
  await campaign.report('0003', { status: 'failed' })
  expect(await replyOf(campaign, { backend: 'vllm' })).toMatchObject({ claims: [{ attempt: 2 }], done: true })
  await campaign.report('0003', { status: 'failed' })
  expect(await replyOf(campaign, { backend: 'vllm' })).toEqual({ claims: [], done: true, state: 'idle' })
})

test('a wait is over once something under the filter can be claimed', async () => {
  const campaign = await openTwoBackends()
  await replyOf(campaign, { worker: 'w0', limit: 4 })
  await campaign.call('PATCH', campaign.path, { body: { settings: { max_retries: 1 } } })
  const waiting = claimedIds(campaign, { worker: 'w1', backend: 'vllm', wait_seconds: 30 })
  await campaign.report('0002', { status: 'failed' })
  await expectHeld(waiting)
  await campaign.report('0003', { status: 'failed' })
  expect(await waiting).toEqual(['0003'])
})

test('a wait is over when a paused campaign goes on, and when a retry puts something back', async () => {
  const campaign = await openCampaign(1, { settings: { paused: true } })
  const waiting = claimedIds(campaign, { wait_seconds: 30 })
  await expectHeld(waiting)
  await campaign.call('PATCH', campaign.path, { body: { settings: { paused: false, max_retries: 3 } } })
  expect(await waiting).toEqual(['0001'])
  const next = claimedIds(campaign, { worker: 'w2', wait_seconds: 30 })
  await campaign.report('0001', { status: 'failed' })
  expect(await next).toEqual(['0001'])
})

test('a wait ends with done when the campaign does', async () => {
  const campaign = await openCampaign(1, { settings: { max_retries: 1 } })
  await claimedIds(campaign)
  const waiting = replyOf(campaign, { worker: 'w2', wait_seconds: 30 })
  await expectHeld(waiting)
  await campaign.report('0001', { status: 'completed' })
  expect(await waiting).toEqual({ claims: [], done: true, state: 'completed' })
})

test('a wait ends with an empty list when the time is over, and with a problem when the campaign is deleted', async () => {
  const campaign = await openCampaign(1, { settings: { paused: true } })
  expect(await replyOf(campaign, { wait_seconds: 1 })).toEqual({ claims: [], done: false, state: 'paused' })
  const waiting = claim(campaign, { wait_seconds: 30 })
  await expectHeld(waiting)
  await campaign.call('DELETE', campaign.path)
  expectProblem(await waiting, 404, 'campaign-not-found')
})

test('of many that wait each gets another one, as they come', async () => {
  const campaign = await openCampaign(40, { settings: { paused: true } })
  const waiting = Array.from({ length: 40 }, (_, index) =>
    claimedIds(campaign, { worker: `w${index}`, wait_seconds: 30 }),
  )
  await expectHeld(Promise.race(waiting))
  await campaign.call('PATCH', campaign.path, { body: { settings: { paused: false } } })
  expect(new Set((await Promise.all(waiting)).flat()).size).toBe(40)
})

test('a client that goes away while it waits takes nothing and leaves nothing behind', async () => {
  const campaign = await openCampaign(1, { settings: { paused: true } })
  const url = await campaign.listen()
  await expectNoneLeft(30, (signal) => fetchClaim(url, campaign, signal))
  await campaign.call('PATCH', campaign.path, { body: { settings: { paused: false } } })
  expect((await campaign.manifest()).experiments[0]?.status).toBe('pending')
})

test('a stop of the service ends the wait with an empty list', async () => {
  const campaign = await openCampaign(1, { settings: { paused: true } })
  const url = await campaign.listen()
  const waiting = fetchClaim(url, campaign)
  await expectHeld(waiting)
  const begun = performance.now()
  await campaign.app.close()
  expect(performance.now() - begun).toBeLessThan(TIME_LIMIT)
  expect(await (await waiting).json()).toEqual({ claims: [], done: false, state: 'paused' })
})

test.each([
  [{}, '/worker', 'is required'],
  [{ worker: '' }, '/worker', 'fewer than 1'],
  [{ worker: 'w', limit: 0 }, '/limit', '>= 1'],
  [{ worker: 'w', limit: 101 }, '/limit', '<= 100'],
  [{ worker: 'w', wait_seconds: 61 }, '/wait_seconds', '<= 60'],
  [{ worker: 'w', lease_seconds: 86_401 }, '/lease_seconds', '<= 86400'],
  [{ worker: 'w', claim_id: '' }, '/claim_id', 'fewer than 1'],
  [{ worker: 'w', cycle_index: 1 }, '/cycle_index', 'is not a known field'],
])('a claim of %j is refused at %s', async (body, pointer, detail) => {
  const { call, path, manifest } = await openCampaign(1)
  const reply = await call('POST', `${path}/claims`, { body })
  expectProblem(reply, 400, 'invalid')
  expect(reply.json()).toMatchObject({ errors: [{ pointer, detail: expect.stringContaining(detail) as unknown }] })
  expect((await manifest()).revision).toBe(1)
})
