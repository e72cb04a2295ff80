import { describe, expect, test } from 'vitest'
import { openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { claim, claimedIds, type ClaimReply, heartbeat } from '../../../support/campaigns/claims.js'
import { expectProblem } from '../../../support/http/problems.js'
import { openApp } from '../../../support/service/app.js'
import { bytesOf } from '../../../support/store/files.js'

const BEAT = { attempt: 1, worker: 'w1' }

/** A campaign of which w1 has claimed the first experiments for ten seconds. */
async function openClaimed(limit = 1, max_retries = 0): Promise<TestCampaign> {
  const campaign = await openCampaign(3, { settings: { lease_seconds: 10, max_retries } })
  await claim(campaign, { limit })
  return campaign
}

async function statusOf({ manifest }: TestCampaign, expId = '0001'): Promise<string | undefined> {
  return (await manifest()).experiments.find(({ exp_id }) => exp_id === expId)?.status
}

describe('a heartbeat', () => {
  test('a heartbeat keeps a lease alive for another full period, and writes nothing', async () => {
    const campaign = await openClaimed()
    const before = bytesOf(campaign.dataDir)
    for (let beats = 0; beats < 5; beats += 1) {
      await campaign.elapse(9)
      const reply = await heartbeat(campaign, '0001', BEAT)
      expect(reply.json()).toEqual({
        lease_seconds: 10,
        lease_expires_at: '2026-03-01T12:00:10.000Z',
        cancel: false,
      })
    }
    expect(bytesOf(campaign.dataDir)).toEqual(before)
  })

  test('a heartbeat may leave the worker out, since the attempt tells whose it is', async () => {
    const campaign = await openClaimed()
    expect((await heartbeat(campaign, '0001', { attempt: 1 })).status).toBe(200)
  })

  test('a heartbeat of another attempt, by another worker, or where there is no lease is a 409 that shows the experiment', async () => {
    const campaign = await openClaimed()
    await campaign.report('0003', { status: 'running', worker: 'w1' })
    const refusals = [
      ['0001', { attempt: 2, worker: 'w1' }, 'stale-attempt'],
      ['0001', { attempt: 1, worker: 'w2' }, 'not-the-owner'],
      ['0002', { attempt: 1, worker: 'w1' }, 'stale-attempt'],
      ['0003', { attempt: 1, worker: 'w1' }, 'no-lease'],
    ] as const
    for (const [expId, body, code] of refusals) {
      const reply = await heartbeat(campaign, expId, body)
      expectProblem(reply, 409, code)
      expect(reply.json()).toMatchObject({ experiment: { exp_id: expId } })
    }
    await campaign.report('0001', { status: 'completed', attempt: 1 })
    expectProblem(await heartbeat(campaign, '0001', BEAT), 409, 'no-lease')
  })

  test('a heartbeat of an experiment that there is not is a 404', async () => {
    expectProblem(await heartbeat(await openClaimed(), '0099', BEAT), 404, 'experiment-not-found')
  })

  test('a heartbeat that says too little is a 400', async () => {
    const campaign = await openClaimed()
    expectProblem(await heartbeat(campaign, '0001', { worker: 'w1' }), 400, 'invalid')
    expectProblem(await heartbeat(campaign, '0001', { ...BEAT, status: 'running' }), 400, 'invalid')
  })

  test('a heartbeat says to stop once the campaign was paused with cancel_running, and until it goes on', async () => {
    const campaign = await openClaimed()
    const pause = (query: string, settings: object) =>
      campaign.call('PATCH', campaign.path + query, { body: { settings } })
    const cancel = async () => (await heartbeat(campaign, '0001', BEAT)).json<{ cancel: boolean }>().cancel
    await pause('', { paused: true })
    expect(await cancel()).toBe(false)
    expect((await pause('?cancel_running=true', { paused: true })).json()).toMatchObject({
      settings: { paused: true },
      cancel_running: true,
    })
    expect(await cancel()).toBe(true)
    expect((await pause('', { paused: false })).json()).toMatchObject({
      settings: { max_retries: 0, lease_seconds: 10, paused: false },
      cancel_running: false,
    })
    expect(await cancel()).toBe(false)
    expectProblem(await pause('?cancel_running=true', { paused: false }), 400, 'invalid')
  })
})

describe('a lease that runs out', () => {
  test('a lease that runs out makes its experiment failed and lost, naming worker and silence, within a second and a half', async () => {
    const campaign = await openClaimed()
    await campaign.elapse(10)
    expect(await statusOf(campaign)).toBe('running')
    await campaign.elapse(1.5)
    expect((await campaign.manifest()).experiments[0]).toMatchObject({
      status: 'failed',
      failure_kind: 'lost',
      error: expect.stringMatching(/w1.* 1[01] s.*lease was of 10 s/) as unknown,
      completed_at: '2026-03-01T12:00:00.000Z',
      lease: null,
      worker: 'w1',
      attempt: 1,
    })
    expectProblem(await heartbeat(campaign, '0001', BEAT), 409, 'no-lease')
  })

  test('a lease that runs out together with others of its campaign makes one revision and one commit', async () => {
    const campaign = await openClaimed(3)
    await campaign.elapse(11)
    const { revision, experiments } = await campaign.manifest()
    expect(revision).toBe(3)
    expect(experiments.map(({ failure_kind, revision }) => [failure_kind, revision])).toEqual(
      Array(3).fill(['lost', 3]),
    )
  })

  test('a lease that runs out makes its experiment claimable again while it has losses left, then it stays failed', async () => {
    const campaign = await openCampaign(1, { settings: { lease_seconds: 10, max_losses: 1 } })
    expect(await claimedIds(campaign, { worker: 'a' })).toEqual(['0001'])
    await campaign.elapse(11)
    expect(await claimedIds(campaign, { worker: 'b' })).toEqual(['0001'])
    await campaign.elapse(11)
    expect((await claim(campaign, { worker: 'c' })).json()).toEqual({ claims: [], done: true, state: 'failed' })
    const [experiment] = (await campaign.manifest()).experiments
    expect(experiment).toMatchObject({ status: 'failed', failure_kind: 'lost', retry_count: 1, worker: 'b' })
    expect(experiment?.attempts).toMatchObject([
      { attempt: 1, worker: 'a', status: 'failed', failure_kind: 'lost', completed_at: '2026-03-01T12:00:00.000Z' },
    ])
  })

  test('a lease that runs out wakes a claim that waits for it', async () => {
    const campaign = await openCampaign(1, { settings: { lease_seconds: 10, max_retries: 1 } })
    await claim(campaign, { worker: 'a' })
    const waiting = claimedIds(campaign, { worker: 'b', wait_seconds: 30 })
    await campaign.elapse(11)
    expect(await waiting).toEqual(['0001'])
  })

  test.each([
    [
      { status: 'completed', attempt: 1, worker: 'w1', result_path: 'results/1' },
      { status: 'completed', error: null, failure_kind: null, result_path: 'results/1' },
    ],
    [
      { status: 'failed', attempt: 1, error: 'Killed', failure_kind: 'oom' },
      { status: 'failed', error: 'Killed', failure_kind: 'oom' },
    ],
    [{ status: 'completed' }, { status: 'completed', worker: 'w1' }],
  ])(
    'a lease that runs out leaves the late report %j to its attempt as long as nobody has replaced it',
    async (report, expected) => {
      const campaign = await openClaimed()
      await campaign.elapse(11)
      expect((await campaign.report('0001', report)).json()).toMatchObject({ ...expected, attempt: 1 })
    },
  )

  test('a lease that runs out fences its worker off once another one has started the experiment', async () => {
    const campaign = await openCampaign(1, { settings: { lease_seconds: 10, max_retries: 1 } })
    await claim(campaign, { worker: 'a' })
    await campaign.elapse(11)
    await claim(campaign, { worker: 'b' })
    const late = { status: 'completed', attempt: 1, worker: 'a' }
    const reply = await campaign.report('0001', late)
    expectProblem(reply, 409, 'stale-attempt')
    expect(reply.json()).toMatchObject({ experiment: { worker: 'b', attempt: 2, status: 'running' } })
    const batch = await campaign.reportBatch([{ exp_id: '0001', ...late }])
    expect(batch.json()).toMatchObject({ results: [{ status: 409, problem: { code: 'stale-attempt' } }] })
    expectProblem(await heartbeat(campaign, '0001', { attempt: 1, worker: 'a' }), 409, 'stale-attempt')
    expectProblem(await campaign.report('0001', { status: 'completed', worker: 'a' }), 409, 'not-the-owner')
    expect(await statusOf(campaign)).toBe('running')
  })
})

describe('a lease lives on', () => {
  test('a lease lives on by a report of the running attempt, single or in a batch, whether it changes something or not', async () => {
    const campaign = await openClaimed()
    const report = { status: 'running', attempt: 1 }
    await campaign.elapse(9)
    await campaign.report('0001', { ...report, result_path: 'partial' })
    await campaign.elapse(9)
    await campaign.report('0001', report)
    await campaign.elapse(9)
    await campaign.reportBatch([{ exp_id: '0001', ...report }])
    await campaign.elapse(9)
    expect(await statusOf(campaign)).toBe('running')
    await campaign.elapse(2)
    expect(await statusOf(campaign)).toBe('failed')
  })

  test('a lease lives on whatever the wall clock does', async () => {
    const campaign = await openClaimed()
    campaign.setTime('2026-03-01T13:00:00.000Z')
    await campaign.elapse(9)
    campaign.setTime('2026-02-28T12:00:00.000Z')
    await campaign.elapse(1)
    expect(await statusOf(campaign)).toBe('running')
  })

  test('a lease lives on for a full period after a restart', async () => {
    const campaign = await openClaimed()
    await campaign.elapse(9)
    await campaign.restart()
    await campaign.elapse(9)
    expect(await statusOf(campaign)).toBe('running')
    await campaign.elapse(2)
    expect(await statusOf(campaign)).toBe('failed')
  })

  test('a lease lives on for what a start by report asks, and for ever without', async () => {
    const campaign = await openCampaign(2)
    await campaign.report('0001', { status: 'running', lease_seconds: 5 })
    await campaign.report('0002', { status: 'running' })
    await campaign.elapse(6)
    expect(await statusOf(campaign, '0001')).toBe('failed')
    await campaign.elapse(3600)
    expect(await statusOf(campaign, '0002')).toBe('running')
  })

  test('a lease lives on through a resume, which takes back those that ran out', async () => {
    const campaign = await openClaimed(1)
    await campaign.elapse(9)
    await claim(campaign, { worker: 'w2' })
    // The first has run out by then; no sweep has come along yet.
    campaign.skip(1.5)
    const resumed = await campaign.call('POST', `${campaign.path}/resume`)
    expect(resumed.json()).toMatchObject({
      plan: [
        { exp_id: '0001', action: 'run', reason: 'failed' },
        { exp_id: '0002', action: 'keep', reason: 'running under a live lease' },
        { exp_id: '0003', action: 'run' },
      ],
    })
    expect((await heartbeat(campaign, '0002', { attempt: 1, worker: 'w2' })).status).toBe(200)
  })
})

test('the workers of a campaign are listed with their experiments and the time since the last heartbeat', async () => {
  const campaign = await openClaimed()
  await campaign.report('0003', { status: 'running' })
  await campaign.elapse(4)
  const path = `${campaign.path}/workers`
  const definition = { config_name: 'llama3-8b-bf16', backend: 'vllm', container: 'vllm' }
  const first = {
    ...{ worker: 'w1', exp_id: '0001', ...definition, cycle_index: 0, attempt: 1 },
    started_at: '2026-03-01T12:00:00.000Z',
    lease_seconds: 10,
    lease_expires_at: '2026-03-01T12:00:06.000Z',
    seconds_since_heartbeat: 4,
    progress: null,
    note: null,
  }
  const third = { lease_seconds: null, lease_expires_at: null, seconds_since_heartbeat: null }
  const unnamed = { ...first, ...third, worker: null, exp_id: '0003', cycle_index: 2 }
  expect((await campaign.call('GET', path)).json()).toEqual({
    workers: [first, unnamed],
    benched: [],
    next_page_token: null,
  })
  const page = (await campaign.call('GET', `${path}?limit=1`)).json<{ next_page_token: string }>()
  expect(page).toMatchObject({ workers: [first] })
  const next = await campaign.call('GET', `${path}?limit=1&page_token=${page.next_page_token}`)
  expect(next.json()).toEqual({ workers: [unnamed], benched: [], next_page_token: null })
})

test('a campaign that is deleted takes its leases along', async () => {
  const campaign = await openClaimed()
  await campaign.call('DELETE', `${campaign.path}?force=true`)
  await campaign.elapse(11)
  expectProblem(await heartbeat(campaign, '0001', BEAT), 404, 'campaign-not-found')
})

test('an import brings no leases along', async () => {
  const campaign = await openClaimed()
  const body = { ...(await campaign.manifest()), campaign_id: 'copy' }
  const { call } = campaign
  expect((await call('POST', '/v1/campaigns', { body })).json()).toMatchObject({
    experiments: [{ status: 'running', lease: null }, {}, {}],
  })
  await campaign.elapse(60)
  const [experiment] = (await call('GET', '/v1/campaigns/copy')).json<{ experiments: { status: string }[] }>()
    .experiments
  expect(experiment?.status).toBe('running')
})

test('leases in twenty campaigns of their own run out together', async () => {
  const app = await openApp()
  const template = await openCampaign(1, { settings: { max_losses: 0 } })
  const manifest = await template.manifest()
  for (let index = 0; index < 20; index += 1) {
    const campaign_id = `c${index}`
    await app.call('POST', '/v1/campaigns', { body: { ...manifest, campaign_id } })
    const claimed = await app.call('POST', `/v1/campaigns/${campaign_id}/claims`, {
      body: { worker: 'w', lease_seconds: 5 },
    })
    expect(claimed.json<ClaimReply>().claims).toHaveLength(1)
  }
  await app.elapse(6)
  const { campaigns } = (await app.call('GET', '/v1/campaigns')).json<{ campaigns: { state: string }[] }>()
  expect(campaigns.map(({ state }) => state)).toEqual(Array(20).fill('failed'))
})
