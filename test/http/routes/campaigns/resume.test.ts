import { expect, test } from 'vitest'
import { etagOf, openCampaign, openSample, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { checkAnswer } from '../../../support/http/contract.js'
import { expectProblem } from '../../../support/http/problems.js'
import type { Answer } from '../../../support/service/app.js'
import { bytesOf } from '../../../support/store/files.js'

interface Resumed {
  readonly config_changed: boolean
  readonly changed: readonly { readonly exp_id: string; readonly from: string; readonly to: string }[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly plan: readonly { readonly exp_id: string; readonly action: string; readonly reason: string }[]
  readonly remaining: readonly string[]
  readonly counts: Readonly<Record<string, number>>
  readonly revision: number
}

const HASH = '2bab738210c9'

/** 0001 completed, 0002 failed, 0003 skipped, 0004 running under a lease, 0005 running without one, 0006 pending. */
async function openInterrupted(): Promise<TestCampaign> {
  const campaign = await openCampaign(6)
  const updates = [
    { exp_id: '0001', status: 'completed', result_path: 'results/0001.json' },
    { exp_id: '0002', status: 'failed', error: 'Exit code 137' },
    { exp_id: '0003', status: 'skipped' },
    { exp_id: '0004', status: 'running', lease_seconds: 60 },
    { exp_id: '0005', status: 'running', worker: 'gone' },
  ]
  await campaign.call('PATCH', `${campaign.path}/experiments`, { body: { updates } })
  return campaign
}

/** The configs as the caller has them: that of 0001 is another one, 0006 is not among them, 0099 is new. */
const CHANGED = {
  config_hash: 'newconfig',
  experiments: [
    { exp_id: '0001', config_hash: 'newhash' },
    ...['0002', '0003', '0004', '0005'].map((exp_id) => ({ exp_id, config_hash: HASH })),
    { exp_id: '0099', config_hash: HASH },
  ],
}

const DIFFERENCE = {
  config_changed: true,
  changed: [{ exp_id: '0001', from: HASH, to: 'newhash' }],
  added: ['0099'],
  removed: ['0006'],
}

function resume({ call, path }: TestCampaign, body?: object, headers = {}): Promise<Answer> {
  return call('POST', `${path}/resume`, { body, headers })
}

function actionsOf(answer: Answer): string[] {
  return answer.json<Resumed>().plan.map(({ action }) => action)
}

test('resuming without a body puts back what failed and what nobody runs, with a reason for each', async () => {
  const campaign = await openInterrupted()
  const answer = await resume(campaign)
  expect(answer.status).toBe(200)
  expect(actionsOf(answer)).toEqual(['skip', 'run', 'skip', 'keep', 'run', 'run'])
  const { plan, ...resumed } = answer.json<Resumed>()
  for (const { reason } of plan) expect(reason).not.toBe('')
  expect(resumed).toEqual({
    config_changed: false,
    changed: [],
    added: [],
    removed: [],
    remaining: ['0002', '0005', '0006'],
    counts: { pending: 3, running: 1, completed: 1, failed: 0, skipped: 1 },
    revision: 3,
  })
  const { revision, experiments } = await campaign.manifest()
  expect(revision).toBe(3)
  expect(experiments.map(({ status }) => status)).toEqual([
    'completed',
    'pending',
    'skipped',
    'running',
    'pending',
    'pending',
  ])
  expect(experiments[4]?.attempts).toMatchObject([
    { attempt: 1, status: 'failed', failure_kind: 'interrupted', worker: 'gone' },
  ])
})

test('a resume that was made already changes nothing and tells the same again', async () => {
  const campaign = await openInterrupted()
  const first = (await resume(campaign)).json<Resumed>()
  const before = bytesOf(campaign.dataDir)
  const again = (await resume(campaign)).json<Resumed>()
  expect(again).toMatchObject({ remaining: first.remaining, counts: first.counts, revision: first.revision })
  expect(bytesOf(campaign.dataDir)).toEqual(before)
})

test.each([
  ['nothing at all', {}],
  ['a content type and nothing else', { headers: { 'content-type': 'application/json' } }],
  ['an empty body', { headers: { 'content-type': 'application/json', 'content-length': '0' }, payload: '' }],
])('resume and retry take %s for their defaults', async (_what, request) => {
  const { app, path } = await openInterrupted()
  for (const url of [`${path}/retry`, `${path}/resume`]) {
    const answer = await app.inject({ method: 'POST', url, ...request })
    checkAnswer('POST', url, answer.statusCode, answer.headers, answer.payload)
    expect(answer.statusCode).toBe(200)
  }
})

test('the entry of sample 03 that was left running comes back, and its campaign is not complete without it', async () => {
  const campaign = await openSample('03_shuffled_18_resumed_then_crashed')
  const resumed = (await resume(campaign)).json<Resumed>()
  expect(resumed).toMatchObject({
    remaining: ['0055', '0056', '0057', '0058', '0059'],
    counts: { pending: 5, running: 0, completed: 13, failed: 0, skipped: 0 },
  })
  expect(resumed.plan.filter(({ action }) => action === 'skip')).toHaveLength(13)
  const stuck = (await campaign.manifest()).experiments.find(({ exp_id }) => exp_id === '0055')
  expect(stuck).toMatchObject({
    status: 'pending',
    started_at: null,
    attempt: 1,
    attempts: [
      { attempt: 1, status: 'failed', failure_kind: 'interrupted', started_at: '2026-02-04T09:10:50.841980Z' },
    ],
  })

  for (const exp_id of ['0056', '0057', '0058', '0059']) await campaign.report(exp_id, { status: 'completed' })
  const progress = (await campaign.call('GET', `${campaign.path}/progress`)).json()
  expect(progress).toMatchObject({ is_complete: false, state: 'idle', remaining: 1 })
})

test('running ones without a lease are kept when the caller says so', async () => {
  const campaign = await openInterrupted()
  expect(actionsOf(await resume(campaign, { unleased: 'keep' }))).toEqual([
    'skip',
    'run',
    'skip',
    'keep',
    'keep',
    'run',
  ])
  expect((await campaign.manifest()).experiments[4]).toMatchObject({ status: 'running', worker: 'gone' })
})

test('failed ones stay failed when the caller says so', async () => {
  const campaign = await openInterrupted()
  const answer = await resume(campaign, { retry_failed: false })
  expect(actionsOf(answer)).toEqual(['skip', 'skip', 'skip', 'keep', 'run', 'run'])
  expect(answer.json<Resumed>().remaining).toEqual(['0005', '0006'])
  expect((await campaign.manifest()).experiments[1]).toMatchObject({ status: 'failed', error: 'Exit code 137' })
})

test('a changed config is refused with the difference, and nothing is written', async () => {
  const campaign = await openInterrupted()
  const before = bytesOf(campaign.dataDir)
  expect(expectProblem(await resume(campaign, CHANGED), 409, 'config-changed')).toMatchObject(DIFFERENCE)
  const onlyTheCampaign = await resume(campaign, { config_hash: 'newconfig' })
  expect(expectProblem(onlyTheCampaign, 409, 'config-changed')).toMatchObject({
    config_changed: true,
    changed: [],
    added: [],
    removed: [],
  })
  const onlyAnExperiment = await resume(campaign, { ...CHANGED, config_hash: '0099efaa28b0' })
  expect(expectProblem(onlyAnExperiment, 409, 'config-changed')).toMatchObject(DIFFERENCE)
  expect(bytesOf(campaign.dataDir)).toEqual(before)
})

test('a dry run gets 200 where the real call would be refused, and writes nothing', async () => {
  const campaign = await openInterrupted()
  const before = bytesOf(campaign.dataDir)
  const refused = await resume(campaign, { ...CHANGED, dry_run: true })
  expect(refused.status).toBe(200)
  expect(refused.json()).toMatchObject({ ...DIFFERENCE, revision: 2 })

  const dry = { ...CHANGED, on_config_change: 'rerun_changed', dry_run: true }
  expect((await resume(campaign, dry)).json()).toMatchObject({
    remaining: ['0001', '0002', '0005', '0006'],
    revision: 2,
    counts: { pending: 4, running: 1, completed: 0, failed: 0, skipped: 1 },
  })
  expect(bytesOf(campaign.dataDir)).toEqual(before)
})

test('rerun_changed runs just those again whose own hash changed, and stores the new hashes', async () => {
  const campaign = await openInterrupted()
  const answer = await resume(campaign, { ...CHANGED, on_config_change: 'rerun_changed' })
  expect(answer.json()).toMatchObject({ ...DIFFERENCE, remaining: ['0001', '0002', '0005', '0006'], revision: 3 })
  const { config_hash, total_experiments, experiments } = await campaign.manifest()
  expect({ config_hash, total_experiments }).toEqual({ config_hash: 'newconfig', total_experiments: 6 })
  expect(experiments[0]).toMatchObject({
    status: 'pending',
    config_hash: 'newhash',
    result_path: null,
    attempts: [{ attempt: 1, status: 'completed', result_path: 'results/0001.json' }],
  })
  expect((await resume(campaign, CHANGED)).json()).toMatchObject({ config_changed: false, revision: 3 })
})

test('accept goes on as before and stores the new hashes', async () => {
  const campaign = await openInterrupted()
  const answer = await resume(campaign, { ...CHANGED, on_config_change: 'accept' })
  expect(answer.json()).toMatchObject({ ...DIFFERENCE, remaining: ['0002', '0005', '0006'] })
  const { config_hash, experiments } = await campaign.manifest()
  expect(config_hash).toBe('newconfig')
  expect(experiments[0]).toMatchObject({
    status: 'completed',
    config_hash: 'newhash',
    result_path: 'results/0001.json',
  })
  expect((await resume(campaign, CHANGED)).status).toBe(200)
})

test('without a config_hash nothing is compared', async () => {
  const campaign = await openInterrupted()
  const { experiments } = CHANGED
  expect((await resume(campaign, { experiments })).json()).toMatchObject({
    config_changed: false,
    changed: [],
    added: [],
    removed: [],
  })
})

test('If-Match binds a resume to the version of the campaign', async () => {
  const campaign = await openInterrupted()
  const tag = etagOf(await campaign.call('GET', campaign.path))
  await campaign.report('0006', { status: 'running' })
  expectProblem(await resume(campaign, {}, { 'if-match': tag }), 412, 'precondition-failed')
})

test('a resume of a campaign that there is not is not found', async () => {
  const { call } = await openCampaign(1)
  expectProblem(await call('POST', '/v1/campaigns/nothing/resume'), 404, 'campaign-not-found')
})
