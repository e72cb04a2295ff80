import { expect, test } from 'vitest'
import { openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { expectProblem, verdict } from '../../../support/http/problems.js'
import type { AppReply } from '../../../support/service/app.js'
import { bytesOf } from '../../../support/store/files.js'

interface Result {
  readonly exp_id: string
  readonly status: number
  readonly experiment?: { readonly revision: number; readonly status: string; readonly attempt: number }
  readonly problem?: {
    readonly code: string
    readonly status: number
    readonly errors?: readonly { pointer: string }[]
  }
}

/** Some of which are refused: one of each kind. */
const MIXED = [
  { exp_id: '0001', status: 'completed', result_path: 'results/0001.json' },
  { exp_id: '0009', status: 'completed' },
  { exp_id: '0002', status: 'running', attempt: 7 },
  { exp_id: '0003', status: 'done' },
  { exp_id: '0003', status: 'running', completed_at: '2026-03-01T12:00:00Z' },
  { exp_id: '0004', status: 'running', worker: 'gpu-1' },
]

function send({ call, path }: TestCampaign, body: unknown, query = ''): Promise<AppReply> {
  return call('PATCH', `${path}/experiments${query}`, { body })
}

function resultsOf(reply: AppReply): Result[] {
  return reply.json<{ results: Result[] }>().results
}

test('each update is decided alone, and all valid ones make one revision', async () => {
  const campaign = await openCampaign(5)
  const reply = await send(campaign, { updates: MIXED })
  expect(reply.status).toBe(200)
  const results = resultsOf(reply)
  expect(results.map(({ exp_id, status }) => [exp_id, status])).toEqual([
    ['0001', 200],
    ['0009', 404],
    ['0002', 409],
    ['0003', 422],
    ['0003', 422],
    ['0004', 200],
  ])
  expect(results.map(({ problem }) => problem?.code)).toEqual([
    undefined,
    'experiment-not-found',
    'stale-attempt',
    'invalid',
    'invalid',
    undefined,
  ])
  expect(results.flatMap(({ problem }) => problem?.status ?? [])).toEqual([404, 409, 422, 422])
  expect(results.flatMap(({ experiment }) => experiment?.revision ?? [])).toEqual([2, 2])

  const { revision, experiments } = await campaign.manifest()
  expect(revision).toBe(2)
  expect(experiments.map(({ status }) => status)).toEqual(['completed', 'pending', 'pending', 'running', 'pending'])
})

test('the fault of an update is pointed at in the body of the batch', async () => {
  const campaign = await openCampaign(3)
  const results = resultsOf(
    await send(campaign, {
      updates: [
        { exp_id: '0001', status: 'running' },
        { exp_id: '0002', status: 'done' },
        { exp_id: '0002', colour: 'red' },
        { exp_id: '0002' },
        { exp_id: '0002', worker: 'gpu-1' },
        { exp_id: '0003', status: 'running', started_at: '2026-02-30T00:00:00Z' },
      ],
    }),
  )
  expect(results.map(({ problem }) => problem?.errors?.[0]?.pointer)).toEqual([
    undefined,
    '/updates/1/status',
    '/updates/2/colour',
    '/updates/3',
    '/updates/4/worker',
    '/updates/5/started_at',
  ])
})

test('several updates of one experiment are made one after the other', async () => {
  const campaign = await openCampaign(2)
  const results = resultsOf(
    await send(campaign, {
      updates: [
        { exp_id: '0001', status: 'running', attempt: 1 },
        { exp_id: '0001', status: 'failed', attempt: 1, error: 'Exit code 1' },
        { exp_id: '0001', status: 'completed', attempt: 1 },
        { exp_id: '0001', status: 'running', attempt: 2 },
      ],
    }),
  )
  expect(results.map(({ status }) => status)).toEqual([200, 200, 409, 200])
  const { revision, experiments } = await campaign.manifest()
  expect(revision).toBe(2)
  expect(experiments[0]).toMatchObject({
    status: 'running',
    attempt: 2,
    attempts: [{ attempt: 1, error: 'Exit code 1' }],
  })
})

test('a batch that was made already, or of which all is refused, changes nothing and adds no revision', async () => {
  const campaign = await openCampaign(3)
  const updates = ['0001', '0002'].map((exp_id) => ({ exp_id, status: 'completed', result_path: `${exp_id}.json` }))
  const first = await send(campaign, { updates })
  const before = bytesOf(campaign.dataDir)
  expect(resultsOf(await send(campaign, { updates }))).toEqual(resultsOf(first))
  const refused = await send(campaign, { updates: MIXED.slice(1, 5) })
  expect(resultsOf(refused).map(({ status }) => status)).toEqual([404, 409, 422, 422])
  expect(bytesOf(campaign.dataDir)).toEqual(before)
})

test('an atomic batch of which one update is refused changes nothing and tells the verdict on each', async () => {
  const campaign = await openCampaign(5)
  const before = bytesOf(campaign.dataDir)
  const refused = expectProblem(await send(campaign, { updates: MIXED }, '?atomic=true'), 409, 'batch-refused')
  expect(bytesOf(campaign.dataDir)).toEqual(before)
  expect(refused.results).toEqual(resultsOf(await send(campaign, { updates: MIXED })))
})

test.each([
  ['is of no experiment', { exp_id: '0009', status: 'running' }],
  ['is in conflict', { exp_id: '0002', status: 'running', attempt: 7 }],
  ['is not valid by its schema', { exp_id: '0002', status: 'done' }],
  ['is not valid by its meaning', { exp_id: '0002', worker: 'gpu-1' }],
])('an atomic batch is refused as a whole when one update %s', async (_how, bad) => {
  const campaign = await openCampaign(3)
  const before = bytesOf(campaign.dataDir)
  const reply = await send(campaign, { updates: [{ exp_id: '0001', status: 'running' }, bad] }, '?atomic=true')
  expectProblem(reply, 409, 'batch-refused')
  expect(bytesOf(campaign.dataDir)).toEqual(before)
})

test('an atomic batch of good updates is made in one revision', async () => {
  const campaign = await openCampaign(3)
  const updates = ['0001', '0002', '0003'].map((exp_id) => ({ exp_id, status: 'completed' }))
  expect((await send(campaign, { updates }, '?atomic=true')).status).toBe(200)
  const { revision, experiments } = await campaign.manifest()
  expect([revision, ...experiments.map((one) => one.revision)]).toEqual([2, 2, 2, 2])
})

test('a malformed envelope is refused as a whole, at what is wrong with it', async () => {
  const campaign = await openCampaign(3)
  const before = bytesOf(campaign.dataDir)
  const good = { exp_id: '0001', status: 'running' }
  const bad = { exp_id: '0002', status: 'done' }
  const envelopes = [
    [{}, '/updates'],
    [[good], ''],
    [{ updates: {} }, '/updates'],
    [{ updates: null }, '/updates'],
    [{ updates: [] }, '/updates'],
    [{ updates: [good, 'x'] }, '/updates/1'],
    [{ updates: [good, null] }, '/updates/1'],
    [{ updates: [good, { status: 'running' }] }, '/updates/1/exp_id'],
    [{ updates: [good, { ...good, exp_id: '../0001' }] }, '/updates/1/exp_id'],
    [{ updates: [good, { ...good, exp_id: 1 }] }, '/updates/1/exp_id'],
    [{ updates: [good], colour: 'red' }, '/colour'],
    [{ updates: [bad, { status: 'running' }] }, '/updates/1/exp_id'],
    [{ updates: [bad, { ...good, exp_id: 'a/b' }] }, '/updates/1/exp_id'],
    [{ updates: [bad], colour: 'red' }, '/colour'],
  ] as const
  for (const [body, pointer] of envelopes) {
    expect(verdict(await send(campaign, body)), JSON.stringify(body)).toBe(`400 invalid ${pointer}`)
  }
  expect(bytesOf(campaign.dataDir)).toEqual(before)
})

test('naive times of a batch are read in the time zone of the query, whatever else is in it', async () => {
  const campaign = await openCampaign(2)
  const updates = [
    { exp_id: '0001', status: 'running', started_at: '2026-07-03T21:04:17.319159' },
    { exp_id: '0002', status: 'done' },
  ]
  await send(campaign, { updates }, '?timezone=Europe/Berlin')
  expect((await campaign.manifest()).experiments[0]?.started_at).toBe('2026-07-03T19:04:17.319159Z')
})

test('1000 updates are taken at once, 1001 are refused', async () => {
  const campaign = await openCampaign(1001)
  const { experiments } = await campaign.manifest()
  const updates = experiments.map(({ exp_id }) => ({ exp_id, status: 'running' }))
  expect(verdict(await send(campaign, { updates }))).toBe('400 invalid /updates')
  expect((await campaign.manifest()).revision).toBe(1)

  const results = resultsOf(await send(campaign, { updates: updates.slice(0, 1000) }))
  expect(results.filter(({ status }) => status === 200)).toHaveLength(1000)
  expect((await campaign.manifest()).revision).toBe(2)
})
