import { describe, expect, test } from 'vitest'
import type { BenchedWorker } from '#campaignd/domain/campaign/benching.js'
import type { CampaignSettings } from '#campaignd/domain/campaign/manifest.js'
import type { FailureKind } from '#campaignd/domain/experiment/experiment.js'
import { openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { claim, claimedIds, type ClaimReply } from '../../../support/campaigns/claims.js'
import { experimentDraft } from '../../../support/campaigns/drafts.js'
import { follow } from '../../../support/http/open-reader.js'
import { expectProblem } from '../../../support/http/problems.js'
import { bytesOf } from '../../../support/store/files.js'

const START = Date.UTC(2026, 2, 1, 14)
const MINUTE = 60

/** So many seconds after the start, in the clock of the service. */
function at(seconds: number): string {
  return new Date(START + seconds * 1000).toISOString()
}

/** A campaign of 40 experiments in which `good` holds one under a lease, and so is at work. */
async function openWithGood(settings: Partial<CampaignSettings> = {}): Promise<TestCampaign> {
  const campaign = await open(settings)
  await claim(campaign, { worker: 'good' })
  return campaign
}

async function open(settings: Partial<CampaignSettings> = {}): Promise<TestCampaign> {
  const given = { settings: { lease_seconds: 3600, worker_failure_limit: 3, max_retries: 2, ...settings } }
  const campaign = await openCampaign(40, given)
  campaign.setTime(at(0))
  return campaign
}

interface Failing {
  readonly worker?: string
  readonly kind?: FailureKind
  readonly started_at?: string
  readonly completed_at?: string
}

/** Has a worker fail at what it claims, so many times. @returns the ids of the experiments */
async function fail(
  campaign: TestCampaign,
  times: number,
  { worker = 'bad', kind = 'error', ...more }: Failing = {},
): Promise<string[]> {
  const failed: string[] = []
  for (let count = 0; count < times; count += 1) {
    const [claimed] = (await claim(campaign, { worker })).json<ClaimReply>().claims
    if (claimed === undefined) break
    const { exp_id } = claimed.experiment
    await campaign.report(exp_id, { status: 'failed', run_id: claimed.run_id, failure_kind: kind, ...more })
    failed.push(exp_id)
  }
  return failed
}

async function benched({ call, path }: TestCampaign): Promise<BenchedWorker[]> {
  return (await call('GET', `${path}/workers`)).json<{ benched: BenchedWorker[] }>().benched
}

function lift({ call, path }: TestCampaign, worker = 'bad', body: object = { benched: false }) {
  return call('PATCH', `${path}/workers/${encodeURIComponent(worker)}`, { body })
}

describe('a worker that fails at everything while another one works', () => {
  test('is benched after worker_failure_limit runs: its claims get nothing, and say until when', async () => {
    const campaign = await openWithGood()
    expect(await fail(campaign, 10)).toEqual(['0002', '0003', '0004'])
    const before = bytesOf(campaign.dataDir)
    expect((await claim(campaign, { worker: 'bad' })).json()).toEqual({
      claims: [],
      state: 'running',
      done: false,
      benched_until: at(10 * MINUTE),
    })
    expect(await benched(campaign)).toEqual([
      { worker: 'bad', benched_until: at(10 * MINUTE), failures: 3, exp_id: '0004', failure_kind: 'error' },
    ])
    expect(bytesOf(campaign.dataDir)).toEqual(before)
    expect(await claimedIds(campaign, { worker: 'other', limit: 2 })).toEqual(['0005', '0006'])
  })

  test.each(['error', 'timeout', 'oom'] as const)('%s counts', async (kind) => {
    expect(await fail(await openWithGood(), 10, { kind })).toHaveLength(3)
  })

  test('lost counts too', async () => {
    const campaign = await openWithGood({ lease_seconds: 3600 })
    await fail(campaign, 2)
    await claim(campaign, { worker: 'bad', lease_seconds: 1 })
    await campaign.elapse(3)
    expect(await claimedIds(campaign, { worker: 'bad' })).toEqual([])
    expect(await benched(campaign)).toMatchObject([{ worker: 'bad', failure_kind: 'lost' }])
  })

  test('interrupted does not: that was a stop from outside', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 2)
    await fail(campaign, 1, { kind: 'interrupted' })
    expect(await fail(campaign, 10)).toHaveLength(3)
  })

  test('is benched by its newest runs: one that completed between them begins the count anew', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 2)
    const [id = ''] = await claimedIds(campaign, { worker: 'bad' })
    await campaign.report(id, { status: 'completed' })
    expect(await fail(campaign, 10)).toHaveLength(3)
  })

  test('is not where it is the experiment: another worker failed there too', async () => {
    const campaign = await openWithGood({ max_retries: 5 })
    await fail(campaign, 1, { worker: 'other' })
    for (const worker of ['bad', 'bad', 'bad']) {
      await campaign.report('0002', { status: 'running', worker })
      await campaign.report('0002', { status: 'failed', worker })
    }
    expect(await benched(campaign)).toEqual([])
    expect(await claimedIds(campaign, { worker: 'bad' })).toEqual(['0003'])
  })

  test('is so after a restart as well', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 3)
    const before = await benched(campaign)
    await campaign.restart()
    expect(await benched(campaign)).toEqual(before)
    expect(await claimedIds(campaign, { worker: 'bad' })).toEqual([])
  })

  test('gets nothing in the very call in which it reports the failure that benches it', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 2)
    const [held] = (await claim(campaign, { worker: 'bad' })).json<ClaimReply>().claims
    const reports = [{ exp_id: held?.experiment.exp_id, run_id: held?.run_id, status: 'failed' }]
    expect((await claim(campaign, { worker: 'bad', reports })).json()).toMatchObject({
      claims: [],
      benched_until: at(10 * MINUTE),
      results: [{ status: 200 }],
    })
  })

  test('goes on with what it holds, which counts, and was begun before it failed', async () => {
    const campaign = await openWithGood()
    const [id = ''] = await claimedIds(campaign, { worker: 'bad' })
    campaign.setTime(at(1))
    await fail(campaign, 3)
    expect(await benched(campaign)).toHaveLength(1)
    campaign.setTime(at(2))
    expect((await campaign.report(id, { status: 'completed', worker: 'bad' })).status).toBe(200)
    expect(await benched(campaign)).toHaveLength(1)
  })

  test('is trusted again when of what one claim got something completes after the rest was lost', async () => {
    const campaign = await openWithGood()
    await claim(campaign, { worker: 'bad', limit: 5, lease_seconds: 1 })
    campaign.setTime(at(2))
    await campaign.elapse(3)
    expect(await benched(campaign)).toHaveLength(1)
    campaign.setTime(at(5))
    expect((await campaign.report('0002', { status: 'completed', worker: 'bad' })).status).toBe(200)
    expect(await benched(campaign)).toEqual([])
  })

  test('is not cleared by another one that fails at everything', async () => {
    const campaign = await openWithGood({ max_retries: 5 })
    await fail(campaign, 3, { worker: 'bad-1' })
    for (const exp_id of ['0002', '0003', '0004']) {
      await campaign.report(exp_id, { status: 'running', worker: 'bad-2' })
      await campaign.report(exp_id, { status: 'failed', worker: 'bad-2' })
    }
    expect((await benched(campaign)).map(({ worker }) => worker)).toEqual(['bad-1', 'bad-2'])
  })

  test('is trusted again when what it failed at is put back by a retry: that begins anew by hand', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 3)
    await campaign.call('POST', `${campaign.path}/retry`, { body: {} })
    expect(await benched(campaign)).toEqual([])
    expect(await fail(campaign, 5)).toHaveLength(3)
  })

  test('is not trusted again because somebody skips what it failed at', async () => {
    const campaign = await openWithGood({ worker_failure_limit: 2 })
    const ids = await fail(campaign, 3)
    await campaign.report(ids[1] ?? '', { status: 'skipped' })
    expect(await fail(campaign, 3)).toHaveLength(1)
    expect(await benched(campaign)).toHaveLength(1)
  })

  test('is told until when only where that is why it gets nothing', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 3)
    await campaign.call('PATCH', campaign.path, { body: { settings: { paused: true } } })
    expect((await claim(campaign, { worker: 'bad' })).json()).not.toHaveProperty('benched_until')
    await campaign.call('PATCH', campaign.path, { body: { settings: { paused: false } } })
    expect((await claim(campaign, { worker: 'bad' })).json()).toHaveProperty('benched_until')
    const rest = Array.from({ length: 39 }, (_, index) => ({
      exp_id: String(index + 2).padStart(4, '0'),
      status: 'skipped',
    }))
    await campaign.reportBatch(rest)
    expect((await claim(campaign, { worker: 'bad' })).json()).toEqual({ claims: [], state: 'running', done: false })
  })

  test('is told by the events of the campaign, and counted', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 3)
    const [one] = await benched(campaign)
    const reader = await follow(`${await campaign.listen()}${campaign.path}/events`)
    expect(reader.events[0]?.data).toMatchObject({ benched: [one] })
    await claim(campaign, { worker: 'other' })
    expect((await reader.count(2)).at(-1)?.data).toMatchObject({ benched: [one] })
    const metrics = await campaign.call('GET', '/metrics')
    expect(metrics.text).toContain('\ncampaignd_workers_benched 1\n')
  })
})

describe('after ten minutes', () => {
  test('it gets one experiment as a try, whatever it asks for, and none beside it', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 3)
    campaign.setTime(at(10 * MINUTE - 1))
    expect(await claimedIds(campaign, { worker: 'bad', limit: 5 })).toEqual([])
    campaign.setTime(at(10 * MINUTE))
    expect(await claimedIds(campaign, { worker: 'bad', limit: 5 })).toHaveLength(1)
    expect((await claim(campaign, { worker: 'bad' })).json()).toMatchObject({ benched_until: at(20 * MINUTE) })
  })

  test('nothing more while the try goes on, however long that is', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 3)
    campaign.setTime(at(10 * MINUTE))
    const [id = ''] = await claimedIds(campaign, { worker: 'bad' })
    campaign.setTime(at(45 * MINUTE))
    expect((await claim(campaign, { worker: 'bad' })).json()).toMatchObject({
      claims: [],
      benched_until: at(46 * MINUTE),
    })
    await campaign.report(id, { status: 'completed' })
    expect(await claimedIds(campaign, { worker: 'bad' })).toHaveLength(1)
  })

  test('a try also beside a long run that it began before it failed', async () => {
    const campaign = await openWithGood()
    await claim(campaign, { worker: 'bad' })
    campaign.setTime(at(1))
    await fail(campaign, 3)
    campaign.setTime(at(11 * MINUTE))
    expect(await claimedIds(campaign, { worker: 'bad', limit: 5 })).toHaveLength(1)
    campaign.setTime(at(30 * MINUTE))
    expect(await claimedIds(campaign, { worker: 'bad', limit: 5 })).toEqual([])
    expect(await benched(campaign)).toMatchObject([{ worker: 'bad', benched_until: at(31 * MINUTE) }])
  })

  test('a try that fails benches it again, one that completes ends it', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 3)
    campaign.setTime(at(10 * MINUTE))
    expect(await fail(campaign, 5)).toHaveLength(1)
    campaign.setTime(at(20 * MINUTE))
    const [id = ''] = await claimedIds(campaign, { worker: 'bad' })
    await campaign.report(id, { status: 'completed' })
    expect(await claimedIds(campaign, { worker: 'bad', limit: 5 })).toHaveLength(5)
  })
})

describe('nothing starves', () => {
  test('a single worker is never benched', async () => {
    expect(await fail(await open(), 10)).toHaveLength(10)
  })

  test('nor is one whose only peers fail at everything too', async () => {
    const campaign = await open()
    expect(await fail(campaign, 3, { worker: 'bad-1' })).toHaveLength(3)
    expect(await fail(campaign, 3, { worker: 'bad-2' })).toHaveLength(3)
    expect(await claimedIds(campaign, { worker: 'bad-1' })).toHaveLength(1)
    expect(await claimedIds(campaign, { worker: 'bad-2' })).toHaveLength(1)
  })

  test('nor one whose peers run another backend: nobody else would take what it leaves', async () => {
    const experiments = Array.from({ length: 20 }, (_, index) =>
      experimentDraft(`e${index}`, { backend: index < 10 ? 'vllm' : 'sglang', cycle_index: index }),
    )
    const campaign = await openCampaign(0, { experiments, settings: { worker_failure_limit: 3, lease_seconds: 3600 } })
    await claim(campaign, { worker: 'other', backend: 'sglang' })
    expect(await fail(campaign, 5)).toHaveLength(5)
    await claim(campaign, { worker: 'good', backend: 'vllm' })
    expect(await fail(campaign, 5)).toEqual([])
  })

  test('nor one whose peers have been away for ten minutes, unless one holds a lease', async () => {
    const campaign = await open()
    await campaign.report('0001', { status: 'running', worker: 'good' })
    await campaign.report('0001', { status: 'completed', worker: 'good' })
    await fail(campaign, 3)
    expect(await claimedIds(campaign, { worker: 'bad' })).toEqual([])
    campaign.setTime(at(9 * MINUTE))
    await campaign.report('0010', { status: 'failed', worker: 'bad', attempt: 1 })
    campaign.setTime(at(10 * MINUTE + 1))
    expect(await claimedIds(campaign, { worker: 'bad' })).toHaveLength(1)
    const other = await openWithGood()
    await fail(other, 3)
    other.setTime(at(9 * MINUTE))
    await other.report('0010', { status: 'failed', worker: 'bad', attempt: 1 })
    other.setTime(at(15 * MINUTE))
    expect(await claimedIds(other, { worker: 'bad' })).toEqual([])
  })

  test('nor anybody with worker_failure_limit 0', async () => {
    expect(await fail(await openWithGood({ worker_failure_limit: 0 }), 10)).toHaveLength(10)
  })

  test('a clock that is ahead benches for ten minutes all the same', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 3, { completed_at: '2036-01-01T00:00:00Z' })
    for (const minutes of [0, 5, 9]) {
      campaign.setTime(at(minutes * MINUTE))
      expect(await benched(campaign)).toMatchObject([{ benched_until: at(10 * MINUTE) }])
    }
    campaign.setTime(at(11 * MINUTE))
    expect(await claimedIds(campaign, { worker: 'bad', limit: 5 })).toHaveLength(1)
  })

  test('and so does one that is ahead by seconds, of which the starts are told too', async () => {
    const campaign = await openWithGood()
    const ahead = {
      started_at: new Date(START + 3000).toISOString(),
      completed_at: new Date(START + 4000).toISOString(),
    }
    expect(await fail(campaign, 10, ahead)).toHaveLength(3)
    campaign.setTime(at(10 * MINUTE + 5))
    expect(await claimedIds(campaign, { worker: 'bad', limit: 5 })).toHaveLength(1)
  })

  test('and does not make a worker that is gone look active, nor keep one from being benched again', async () => {
    const campaign = await open()
    await campaign.report('0001', { status: 'running', worker: 'good' })
    await campaign.report('0001', { status: 'completed', worker: 'good', completed_at: '2036-01-01T00:00:00Z' })
    campaign.setTime(at(11 * MINUTE))
    expect(await fail(campaign, 5, { completed_at: '2036-01-01T00:00:00Z' })).toHaveLength(5)
    await claim(campaign, { worker: 'good' })
    expect(await benched(campaign)).toHaveLength(1)
    expect((await lift(campaign)).status).toBe(200)
    campaign.setTime(at(12 * MINUTE))
    expect(await fail(campaign, 5)).toHaveLength(3)
    expect(await benched(campaign)).toHaveLength(1)
  })

  test('nor is one benched for good by a failure of which no time is known', async () => {
    const past = {
      attempt: 1,
      worker: 'bad',
      status: 'failed',
      failure_kind: 'error',
      error: null,
      result_path: null,
    } as const
    const attempts = [{ ...past, started_at: null, completed_at: null }]
    const experiments = ['a', 'b', 'c'].map((id) => experimentDraft(id, { attempt: 1, attempts }))
    const campaign = await openCampaign(0, { experiments, settings: { worker_failure_limit: 3, max_retries: 5 } })
    await claim(campaign, { worker: 'good' })
    expect(await benched(campaign)).toEqual([])
    expect(await claimedIds(campaign, { worker: 'bad', limit: 5 })).toHaveLength(1)
  })
})

describe('lifting', () => {
  test('has it get experiments again, is stored, and may be repeated', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 3)
    campaign.setTime(at(1))
    const reply = await lift(campaign)
    expect([reply.status, reply.json()]).toEqual([200, { worker: 'bad', benched: false }])
    const { bench_lifted, revision } = await campaign.manifest()
    expect(bench_lifted).toEqual({ bad: at(1) })
    expect((await lift(campaign)).status).toBe(200)
    expect((await campaign.manifest()).revision).toBe(revision)
    await campaign.restart()
    expect(await benched(campaign)).toEqual([])
    campaign.setTime(at(2))
    expect(await fail(campaign, 10)).toHaveLength(3)
    expect(await benched(campaign)).toHaveLength(1)
  })

  test('takes back also fewer failures than bench it', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 2)
    campaign.setTime(at(1))
    expect((await lift(campaign)).status).toBe(200)
    campaign.setTime(at(2))
    expect(await fail(campaign, 5)).toHaveLength(3)
  })

  test('wakes a claim that waits', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 3)
    const waiting = claimedIds(campaign, { worker: 'bad', wait_seconds: 60 })
    await claim(campaign, { worker: 'other' })
    await lift(campaign)
    expect(await waiting).toHaveLength(1)
  })

  test('of one that is trusted changes nothing, and of one that never ran is refused', async () => {
    const campaign = await openWithGood()
    const before = bytesOf(campaign.dataDir)
    expect((await lift(campaign, 'good')).status).toBe(200)
    expectProblem(await lift(campaign, 'god'), 404, 'worker-not-found')
    expectProblem(await lift(campaign, '__proto__'), 404, 'worker-not-found')
    expect(bytesOf(campaign.dataDir)).toEqual(before)
  })

  test('takes If-Match of the campaign', async () => {
    const campaign = await openWithGood()
    const headers = { 'if-match': '"0000000000000000-1"' }
    const path = `${campaign.path}/workers/good`
    const reply = await campaign.call('PATCH', path, { body: { benched: false }, headers })
    expectProblem(reply, 412, 'precondition-failed')
  })

  test('knows a worker of which all runs were put back by hand', async () => {
    const campaign = await openWithGood()
    await fail(campaign, 3)
    await campaign.call('POST', `${campaign.path}/retry`, { body: {} })
    expect((await lift(campaign)).status).toBe(200)
  })

  test.each([{}, { benched: true }, { benched: null }, { benched: false, until: 1 }])('takes no %j', async (body) => {
    const campaign = await openWithGood()
    expectProblem(await lift(campaign, 'good', body), 400, 'invalid')
  })

  test.each(['gpu-1/vllm', '__proto__', 'Ü %2F'])('of the worker %j', async (worker) => {
    const campaign = await openWithGood()
    await fail(campaign, 3, { worker })
    campaign.setTime(at(1))
    expect((await lift(campaign, worker)).json()).toEqual({ worker, benched: false })
    expect(await claimedIds(campaign, { worker })).toHaveLength(1)
  })

  test('is forgotten of workers that have no such failures any more', async () => {
    const campaign = await openWithGood()
    for (const [second, worker] of ['bad-1', 'bad-2', 'bad-3'].entries()) {
      campaign.setTime(at(second))
      await fail(campaign, 3, { worker })
      await lift(campaign, worker)
      if (worker !== 'bad-1') continue
      const [id = ''] = await claimedIds(campaign, { worker })
      await campaign.report(id, { status: 'completed' })
    }
    expect(Object.keys((await campaign.manifest()).bench_lifted)).toEqual(['bad-2', 'bad-3'])
  })
})
