import { expect, test } from 'vitest'
import type { Progress } from '#campaignd/domain/views/progress.js'
import { etagOf, openCampaign, openSample, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { checkReply } from '../../../support/http/contract.js'
import { expectHeld, expectNoneLeft } from '../../../support/http/held-calls.js'
import { expectProblem } from '../../../support/http/problems.js'
import type { AppReply } from '../../../support/service/app.js'
import { TIME_LIMIT } from '../../../support/time-limit.js'

function progress({ call, path }: TestCampaign, query = '', headers = {}): Promise<AppReply> {
  return call('GET', `${path}/progress${query}`, { headers })
}

async function tagNow(campaign: TestCampaign): Promise<string> {
  return etagOf(await progress(campaign))
}

test('the progress counts the experiments by status, backend, cycle and failure', async () => {
  const { call, path, report, setTime } = await openCampaign(4)
  setTime('2026-03-01T13:00:00.000Z')
  await report('0001', { status: 'running' })
  setTime('2026-03-01T14:00:00.000Z')
  await report('0001', { status: 'completed' })
  await report('0002', { status: 'failed', failure_kind: 'oom' })
  setTime('2026-03-01T15:00:00.000Z')
  await report('0003', { status: 'running' })
  const none = { pending: 0, running: 0, completed: 0, failed: 0, skipped: 0 }
  const counts = { ...none, pending: 1, running: 1, completed: 1, failed: 1 }
  expect((await call('GET', `${path}/progress`)).json<Progress>()).toMatchObject({
    campaign_id: 'sweep',
    campaign_name: 'precision sweep',
    revision: 5,
    state: 'running',
    total: 4,
    counts,
    remaining: 2,
    progress_fraction: 0.25,
    is_complete: false,
    started_at: '2026-03-01T13:00:00.000Z',
    updated_at: '2026-03-01T15:00:00.000Z',
    failures: { oom: 1 },
    by_backend: { vllm: counts },
    by_cycle: {
      0: { ...none, completed: 1 },
      1: { ...none, failed: 1 },
      2: { ...none, running: 1 },
      3: { ...none, pending: 1 },
    },
  })
})

test('the progress of an imported campaign counts what it had come to', async () => {
  const campaign = await openSample('03_shuffled_18_resumed_then_crashed')
  const { counts, remaining, progress_fraction, started_at, by_backend, state } = (
    await progress(campaign)
  ).json<Progress>()
  expect(counts).toEqual({ pending: 4, running: 1, completed: 13, failed: 0, skipped: 0 })
  expect({ remaining, progress_fraction, started_at, state }).toEqual({
    remaining: 4,
    progress_fraction: 13 / 18,
    started_at: '2026-02-03T21:04:17.322281Z',
    state: 'running',
  })
  expect(by_backend).toEqual({
    pytorch: { pending: 1, running: 1, completed: 4, failed: 0, skipped: 0 },
    tensorrt: { pending: 2, running: 0, completed: 4, failed: 0, skipped: 0 },
    vllm: { pending: 1, running: 0, completed: 5, failed: 0, skipped: 0 },
  })
})

test('a campaign is complete when every experiment is completed or skipped', async () => {
  const campaign = await openCampaign(2)
  await campaign.report('0001', { status: 'completed' })
  await campaign.report('0002', { status: 'skipped' })
  const reply = (await progress(campaign)).json<Progress>()
  expect(reply).toMatchObject({ state: 'completed', is_complete: true, progress_fraction: 0.5, remaining: 0 })
})

test('wait delays the response until the next change', async () => {
  const campaign = await openCampaign()
  const tag = await tagNow(campaign)
  const reply = progress(campaign, '?wait=30', { 'if-none-match': tag })
  await expectHeld(reply)
  await campaign.report('0001', { status: 'running' })
  const changed = await reply
  expect(changed.status).toBe(200)
  expect(changed.json()).toMatchObject({ revision: 2, counts: { running: 1 } })
  expect(etagOf(changed)).not.toBe(tag)
})

test('wait holds nothing when the client does not know the newest already', async () => {
  const campaign = await openCampaign()
  const tag = await tagNow(campaign)
  expect((await progress(campaign, '?wait=30')).json()).toMatchObject({ revision: 1 })
  await campaign.report('0001', { status: 'running' })
  const reply = await progress(campaign, '?wait=30', { 'if-none-match': tag })
  expect(reply.json()).toMatchObject({ revision: 2 })
  expect((await progress(campaign, '?wait=0', { 'if-none-match': etagOf(reply) })).status).toBe(304)
})

test('when the time is over the status is 304', async () => {
  const campaign = await openCampaign()
  const tag = await tagNow(campaign)
  const begun = performance.now()
  const reply = await progress(campaign, '?wait=1', { 'if-none-match': tag })
  expect([reply.status, reply.text, etagOf(reply)]).toEqual([304, '', tag])
  expect(performance.now() - begun).toBeGreaterThan(950)
})

test('a report that changes nothing and a change of another campaign wake nobody', async () => {
  const campaign = await openCampaign()
  await campaign.report('0001', { status: 'running', worker: 'gpu-1' })
  const tag = await tagNow(campaign)
  const reply = progress(campaign, '?wait=1', { 'if-none-match': tag })
  await campaign.report('0001', { status: 'running', worker: 'gpu-1' })
  const other = { ...(await campaign.manifest()), campaign_id: 'other' }
  await campaign.call('POST', '/v1/campaigns', { body: other })
  expect((await reply).status).toBe(304)
})

test('many can wait for the same change', async () => {
  const campaign = await openCampaign()
  const tag = await tagNow(campaign)
  const replies = Array.from({ length: 50 }, () => progress(campaign, '?wait=30', { 'if-none-match': tag }))
  await expectHeld(Promise.race(replies))
  await campaign.report('0001', { status: 'running' })
  const texts = new Set((await Promise.all(replies)).map(({ text }) => text))
  expect(texts.size).toBe(1)
})

test('until=end delays the response until the campaign has ended', async () => {
  const campaign = await openCampaign(2)
  const reply = progress(campaign, '?wait=30&until=end')
  await campaign.report('0001', { status: 'completed' })
  await campaign.report('0002', { status: 'running' })
  await expectHeld(reply)
  await campaign.report('0002', { status: 'failed' })
  expect((await reply).json()).toMatchObject({ state: 'failed', counts: { completed: 1, failed: 1 } })
})

test('until=end goes on while a failed experiment can still be started again', async () => {
  const campaign = await openCampaign(1, { settings: { max_retries: 1 } })
  const reply = progress(campaign, '?wait=30&until=end')
  await campaign.report('0001', { status: 'failed' })
  await expectHeld(reply)
  await campaign.report('0001', { status: 'completed', attempt: 1 })
  await campaign.report('0001', { status: 'running' })
  await campaign.report('0001', { status: 'completed' })
  expect((await reply).json()).toMatchObject({ state: 'completed' })
})

test('until=end tells how far it came when the time is over, and at once without a wait', async () => {
  const campaign = await openCampaign(2)
  expect((await progress(campaign, '?wait=1&until=end')).json()).toMatchObject({ state: 'pending' })
  expect((await progress(campaign, '?until=end')).json()).toMatchObject({ state: 'pending' })
})

test('a wait for a campaign that is deleted ends with 404', async () => {
  const campaign = await openCampaign()
  const reply = progress(campaign, '?wait=30', { 'if-none-match': await tagNow(campaign) })
  await expectHeld(reply)
  await campaign.call('DELETE', campaign.path)
  expectProblem(await reply, 404, 'campaign-not-found')
})

test('a client that goes away while it waits leaves nothing behind', async () => {
  const campaign = await openCampaign()
  const url = await campaign.listen()
  const headers = { 'if-none-match': await tagNow(campaign) }
  await expectNoneLeft(40, (signal) => fetch(`${url}${campaign.path}/progress?wait=60`, { headers, signal }))
  expect((await campaign.report('0001', { status: 'running' })).status).toBe(200)
})

test('a stop of the service ends the wait with a response', async () => {
  const campaign = await openCampaign()
  const url = await campaign.listen()
  const path = `${campaign.path}/progress`
  const tag = await tagNow(campaign)
  const waiting = [
    fetch(`${url}${path}?wait=60`, { headers: { 'if-none-match': tag } }),
    fetch(`${url}${path}?wait=60&until=end`),
  ]
  await expectHeld(Promise.race(waiting))
  const begun = performance.now()
  await campaign.app.close()
  expect(performance.now() - begun).toBeLessThan(TIME_LIMIT)
  const replies = await Promise.all(waiting)
  expect(replies.map(({ status }) => status)).toEqual([304, 200])
  for (const reply of replies) {
    checkReply('GET', path, reply.status, Object.fromEntries(reply.headers), await reply.text())
    expect(reply.headers.get('connection')).toBe('close')
  }
})
