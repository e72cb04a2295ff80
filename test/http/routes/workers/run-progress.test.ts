import { expect, test } from 'vitest'
import type { RunningExperiment } from '#campaignd/domain/views/running-experiment.js'
import { openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { claim, heartbeat } from '../../../support/campaigns/claims.js'
import { expectProblem } from '../../../support/http/problems.js'
import { bytesOf } from '../../../support/store/files.js'

const BEAT = { attempt: 1, worker: 'w1' }
const NEWS = { progress: 0.4, note: 'epoch 2 of 5' }
const NOTHING = { progress: null, note: null }

/** A campaign of which w1 has claimed the first experiment. */
async function openClaimed(): Promise<TestCampaign> {
  const campaign = await openCampaign(2, { settings: { lease_seconds: 60, max_retries: 1 } })
  await claim(campaign)
  return campaign
}

/** What the list of workers says of the first running experiment. */
async function shown({ call, path }: TestCampaign): Promise<Pick<RunningExperiment, 'progress' | 'note'>> {
  const { workers } = (await call('GET', `${path}/workers`)).json<{ workers: readonly RunningExperiment[] }>()
  const { progress = null, note = null } = workers[0] ?? {}
  return { progress, note }
}

test('progress and note of a heartbeat are shown with the worker, and nothing is written', async () => {
  const campaign = await openClaimed()
  const before = bytesOf(campaign.dataDir)
  expect(await shown(campaign)).toEqual(NOTHING)
  expect((await heartbeat(campaign, '0001', { ...BEAT, ...NEWS })).json()).toEqual({
    lease_seconds: 60,
    lease_expires_at: '2026-03-01T12:01:00.000Z',
    cancel: false,
  })
  expect(await shown(campaign)).toEqual(NEWS)
  expect(bytesOf(campaign.dataDir)).toEqual(before)
})

test('what a heartbeat leaves out stays, and null clears it', async () => {
  const campaign = await openClaimed()
  await heartbeat(campaign, '0001', { ...BEAT, ...NEWS })
  await heartbeat(campaign, '0001', BEAT)
  expect(await shown(campaign)).toEqual(NEWS)
  await heartbeat(campaign, '0001', { ...BEAT, progress: 0.6 })
  expect(await shown(campaign)).toEqual({ ...NEWS, progress: 0.6 })
  await heartbeat(campaign, '0001', { ...BEAT, progress: null })
  expect(await shown(campaign)).toEqual({ ...NEWS, progress: null })
  await heartbeat(campaign, '0001', { ...BEAT, note: null })
  expect(await shown(campaign)).toEqual(NOTHING)
})

test('a report of the running attempt leaves progress and note, also one that gives it another lease period', async () => {
  const campaign = await openClaimed()
  await heartbeat(campaign, '0001', { ...BEAT, ...NEWS })
  await campaign.report('0001', { attempt: 1, result_path: 'results/partial' })
  expect(await shown(campaign)).toEqual(NEWS)
  await campaign.report('0001', { status: 'running', attempt: 1, lease_seconds: 90 })
  expect(await shown(campaign)).toEqual(NEWS)
})

test('a new attempt begins with neither', async () => {
  const campaign = await openClaimed()
  await heartbeat(campaign, '0001', { ...BEAT, ...NEWS })
  await campaign.report('0001', { status: 'failed', attempt: 1 })
  await campaign.report('0001', { status: 'running', worker: 'w2', lease_seconds: 60 })
  expect(await shown(campaign)).toEqual(NOTHING)
  await heartbeat(campaign, '0001', { attempt: 2, ...NEWS })
  await campaign.report('0001', { status: 'pending' })
  await claim(campaign)
  expect(await shown(campaign)).toEqual(NOTHING)
})

test('a restart forgets both', async () => {
  const campaign = await openClaimed()
  await heartbeat(campaign, '0001', { ...BEAT, ...NEWS })
  await campaign.restart()
  expect(await shown(campaign)).toEqual(NOTHING)
})

test('a heartbeat that is refused changes neither', async () => {
  const campaign = await openClaimed()
  await heartbeat(campaign, '0001', { ...BEAT, ...NEWS })
  const other = { progress: 0.9, note: 'another' }
  expectProblem(await heartbeat(campaign, '0001', { attempt: 1, worker: 'w2', ...other }), 409, 'not-the-owner')
  expectProblem(await heartbeat(campaign, '0001', { attempt: 2, ...other }), 409, 'stale-attempt')
  expect(await shown(campaign)).toEqual(NEWS)
})

test('what runs without a lease has neither', async () => {
  const campaign = await openCampaign(1)
  await campaign.report('0001', { status: 'running', worker: 'w1' })
  expectProblem(await heartbeat(campaign, '0001', { ...BEAT, ...NEWS }), 409, 'no-lease')
  expect(await shown(campaign)).toEqual(NOTHING)
})

test.each([
  { progress: 0, note: '' },
  { progress: 1, note: 'n'.repeat(200) },
  { progress: 1e-9, note: '🎈'.repeat(200) },
  { progress: 0.5, note: 'a <b>tag</b>,\n\tcontrol\u0000 \u202e and bidi' },
])('progress from 0 to 1 and any note of at most 200 characters are taken: %j', async (news) => {
  const campaign = await openClaimed()
  await heartbeat(campaign, '0001', { ...BEAT, ...news })
  expect(await shown(campaign)).toEqual(news)
})

test.each([
  ['{"attempt":1,"progress":-0.01}', '/progress'],
  ['{"attempt":1,"progress":1.01}', '/progress'],
  ['{"attempt":1,"progress":1e999}', '/progress'],
  ['{"attempt":1,"progress":"0.4"}', '/progress'],
  [`{"attempt":1,"note":"${'n'.repeat(201)}"}`, '/note'],
  ['{"attempt":1,"note":7}', '/note'],
])('%s is refused with its place, and changes nothing', async (rawBody, pointer) => {
  const campaign = await openClaimed()
  await heartbeat(campaign, '0001', { ...BEAT, ...NEWS })
  const headers = { 'content-type': 'application/json' }
  const reply = await campaign.call('POST', `${campaign.path}/experiments/0001/heartbeat`, { rawBody, headers })
  expectProblem(reply, 400, 'invalid')
  expect(reply.json()).toMatchObject({ errors: [{ pointer }] })
  expect(await shown(campaign)).toEqual(NEWS)
})

test('half of a surrogate pair in a note becomes U+FFFD', async () => {
  const campaign = await openClaimed()
  const rawBody = '{"attempt":1,"note":"cut \\ud83c"}'
  await campaign.call('POST', `${campaign.path}/experiments/0001/heartbeat`, { rawBody })
  expect(await shown(campaign)).toEqual({ progress: null, note: 'cut \ufffd' })
})
