import { expect, test } from 'vitest'
import { openCampaign, openSample, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { checkReply } from '../../../support/http/contract.js'
import { expectProblem } from '../../../support/http/problems.js'
import type { AppReply } from '../../../support/service/app.js'
import { bytesOf } from '../../../support/store/files.js'

interface Resumed {
  readonly plan: readonly { readonly exp_id: string; readonly action: string; readonly reason: string }[]
  readonly remaining: readonly string[]
  readonly counts: Readonly<Record<string, number>>
  readonly revision: number
}

/** Of the campaign, and of each of its experiments. */
const CONFIG_HASH = '0099efaa28b0'
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
  await campaign.reportBatch(updates)
  return campaign
}

/** The configs of the campaign, with other hashes where they are given. */
function configs(hashes: Readonly<Record<string, string>> = {}) {
  const ids = ['0001', '0002', '0003', '0004', '0005', '0006']
  return ids.map((exp_id) => ({ exp_id, config_hash: hashes[exp_id] ?? HASH }))
}

/** The configs as the caller has them: those of 0001, 0003 and 0006 are others, 0005 is not among them, 0099 is new. */
const CHANGED = {
  config_hash: 'newconfig',
  experiments: configs({ '0001': 'newhash', '0003': 'newhash', '0006': 'newhash' })
    .filter(({ exp_id }) => exp_id !== '0005')
    .concat({ exp_id: '0099', config_hash: HASH }),
}

const DIFFERENCE = {
  config_changed: true,
  changed: ['0001', '0003', '0006'].map((exp_id) => ({ exp_id, from: HASH, to: 'newhash' })),
  added: ['0099'],
  removed: ['0005'],
}

const NO_DIFFERENCE = { config_changed: false, changed: [], added: [], removed: [] }

function resume({ call, path }: TestCampaign, body?: object): Promise<AppReply> {
  return call('POST', `${path}/resume`, { body })
}

test('resuming without a body puts back what failed and what nobody runs, with a reason for each', async () => {
  const [campaign, byReports] = [await openInterrupted(), await openInterrupted()]
  const reply = await resume(campaign)
  expect(reply.status).toBe(200)
  expect(reply.json<Resumed>()).toEqual({
    ...NO_DIFFERENCE,
    plan: [
      { exp_id: '0001', action: 'skip', reason: 'completed' },
      { exp_id: '0002', action: 'run', reason: 'failed' },
      { exp_id: '0003', action: 'skip', reason: 'skipped' },
      { exp_id: '0004', action: 'keep', reason: 'running under a live lease' },
      { exp_id: '0005', action: 'run', reason: 'running without a lease: its orchestrator is gone' },
      { exp_id: '0006', action: 'run', reason: 'pending' },
    ],
    remaining: ['0002', '0005', '0006'],
    counts: { pending: 3, running: 1, completed: 1, failed: 0, skipped: 1 },
    revision: 3,
  })
  await byReports.reportBatch(['0002', '0005'].map((exp_id) => ({ exp_id, status: 'pending' })))
  const { revision, experiments } = await campaign.manifest()
  // Only the records say by which call they were put back.
  const resumed: unknown = JSON.parse(
    JSON.stringify(experiments).replaceAll('"closed_by":"resume"', '"closed_by":"requeue"'),
  )
  expect(resumed).toEqual((await byReports.manifest()).experiments)
  expect(revision).toBe(3)
})

test.each([
  [{}, 'skip run skip keep run run'],
  [{ retry_failed: false }, 'skip skip skip keep run run'],
  [{ unleased: 'keep' }, 'skip run skip keep keep run'],
  [{ retry_failed: false, unleased: 'keep' }, 'skip skip skip keep keep run'],
  [{ retry_failed: true, unleased: 'requeue' }, 'skip run skip keep run run'],
])('a resume with %j is planned as "%s", and what will run is pending then', async (body, actions) => {
  const campaign = await openInterrupted()
  const before = await campaign.manifest()
  const { plan, remaining } = (await resume(campaign, body)).json<Resumed>()
  expect(plan.map(({ action }) => action).join(' ')).toBe(actions)
  expect(remaining).toEqual(plan.filter(({ action }) => action === 'run').map(({ exp_id }) => exp_id))
  expect((await campaign.manifest()).experiments.map(({ status }) => status)).toEqual(
    before.experiments.map(({ exp_id, status }) => (remaining.includes(exp_id) ? 'pending' : status)),
  )
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
    const reply = await app.inject({ method: 'POST', url, ...request })
    checkReply('POST', url, reply.statusCode, reply.headers, reply.payload)
    expect(reply.statusCode).toBe(200)
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

test('a changed config is refused with the difference, and nothing is written', async () => {
  const campaign = await openInterrupted()
  const before = bytesOf(campaign.dataDir)
  for (const [body, difference] of [
    [CHANGED, DIFFERENCE],
    [{ ...CHANGED, config_hash: CONFIG_HASH }, DIFFERENCE],
    [{ config_hash: 'newconfig' }, { ...NO_DIFFERENCE, config_changed: true }],
    [
      { config_hash: 'newconfig', on_config_change: 'refuse' },
      { ...NO_DIFFERENCE, config_changed: true },
    ],
  ] as const) {
    expect(expectProblem(await resume(campaign, body), 409, 'config-changed')).toMatchObject(difference)
  }
  expect(bytesOf(campaign.dataDir)).toEqual(before)
})

test.each([
  ['without a config_hash', { experiments: CHANGED.experiments }, NO_DIFFERENCE],
  ['of the same hashes', { config_hash: CONFIG_HASH, experiments: configs() }, NO_DIFFERENCE],
  [
    'of other experiments with the same hashes',
    { config_hash: CONFIG_HASH, experiments: [...configs().slice(1), { exp_id: '0099', config_hash: HASH }] },
    { ...NO_DIFFERENCE, added: ['0099'], removed: ['0001'] },
  ],
])('a resume %s finds no changed config, and neither adds nor deletes', async (_what, body, difference) => {
  const campaign = await openInterrupted()
  expect((await resume(campaign, body)).json()).toMatchObject(difference)
  expect((await campaign.manifest()).experiments).toHaveLength(6)
})

test.each([{}, { retry_failed: false }, { ...CHANGED, on_config_change: 'rerun_changed' }])(
  'a dry run of a resume tells what the real call would, and writes nothing: %j',
  async (body) => {
    const campaign = await openInterrupted()
    const before = bytesOf(campaign.dataDir)
    const dry = (await resume(campaign, { ...body, dry_run: true })).json()
    expect(bytesOf(campaign.dataDir)).toEqual(before)
    expect(dry).toEqual({ ...(await resume(campaign, body)).json(), revision: 2 })
  },
)

test('a dry run of a resume shows the difference where the real call would be refused', async () => {
  const campaign = await openInterrupted()
  const before = bytesOf(campaign.dataDir)
  const reply = await resume(campaign, { ...CHANGED, dry_run: true })
  expect(reply.status).toBe(200)
  expect(reply.json()).toMatchObject({ ...DIFFERENCE, revision: 2 })
  expect(bytesOf(campaign.dataDir)).toEqual(before)
})

test.each([
  ['accept', ['0002', '0005', '0006'], { status: 'completed', result_path: 'results/0001.json', attempts: [] }],
  [
    'rerun_changed',
    ['0001', '0002', '0005', '0006'],
    {
      status: 'pending',
      result_path: null,
      attempts: [{ attempt: 1, status: 'completed', result_path: 'results/0001.json' }],
    },
  ],
])('%s of changed configs runs %j and stores the new hashes', async (on_config_change, remaining, first) => {
  const campaign = await openInterrupted()
  const reply = await resume(campaign, { ...CHANGED, on_config_change })
  expect(reply.json()).toMatchObject({ ...DIFFERENCE, remaining, revision: 3 })
  const { config_hash, total_experiments, experiments } = await campaign.manifest()
  expect({ config_hash, total_experiments }).toEqual({ config_hash: 'newconfig', total_experiments: 6 })
  expect(experiments.map((one) => one.config_hash)).toEqual(['newhash', HASH, 'newhash', HASH, HASH, 'newhash'])
  expect(experiments[0]).toMatchObject(first)
  expect(experiments[2]).toMatchObject({ status: 'skipped' })
  expect(experiments[5]).toMatchObject({ status: 'pending', revision: 3 })
  const again = await resume(campaign, CHANGED)
  expect(again.json()).toMatchObject({ config_changed: false, changed: [], revision: 3 })
})

test.each(['accept', 'rerun_changed'])(
  '%s of a changed hash of the campaign alone runs nothing again and stores the hash',
  async (on_config_change) => {
    const campaign = await openCampaign(1)
    await campaign.report('0001', { status: 'completed' })
    const reply = await resume(campaign, { config_hash: 'newconfig', on_config_change })
    expect(reply.json()).toMatchObject({ remaining: [], revision: 3 })
    expect(await campaign.manifest()).toMatchObject({
      config_hash: 'newconfig',
      experiments: [{ status: 'completed' }],
    })
  },
)
