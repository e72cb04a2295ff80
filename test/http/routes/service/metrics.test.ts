import { readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { etagOf, openCampaign } from '../../../support/campaigns/campaign.js'
import { claim } from '../../../support/campaigns/claims.js'
import { campaignDraft } from '../../../support/campaigns/drafts.js'
import { Scrape } from '../../../support/http/metrics.js'
import { follow } from '../../../support/http/open-reader.js'
import { repositoryText } from '../../../support/readme.js'
import { openApp, type TestApp, type TestAppOptions } from '../../../support/service/app.js'
import { manifestPath } from '../../../support/store/files.js'

const EXPERIMENT = '/v1/campaigns/:campaign_id/experiments/:exp_id'
const PROGRESS = '/v1/campaigns/:campaign_id/progress'

/** A service of its own for each test: what it counts begins with nothing. */
const FRESH: TestAppOptions = {}

async function scrape({ call }: Pick<TestApp, 'call'>): Promise<Scrape> {
  const reply = await call('GET', '/metrics')
  expect(reply.status).toBe(200)
  expect(reply.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  return new Scrape(reply.text)
}

function requests(of: Scrape, method: string, route: string, status: number): number {
  return of.value('campaignd_http_requests_total', { method, route, status: String(status) }) ?? 0
}

function timed(of: Scrape, method: string, route: string): number {
  return of.value('campaignd_http_request_duration_seconds_count', { method, route }) ?? 0
}

describe('the metrics', () => {
  test('the metrics are named as Prometheus wants it, and each says what it is', async () => {
    const { metrics } = await scrape(await openCampaign(3, {}, FRESH))
    expect(metrics.length).toBeGreaterThan(10)
    for (const { name, type, help } of metrics) {
      expect(name).toMatch(/^campaignd_[a-z]+(_[a-z]+)*$/)
      expect(name.endsWith('_total'), name).toBe(type === 'counter')
      // Base units, at the end but for _total; never parts of them.
      expect(name).not.toMatch(/milli|micro|nano|kilo|mega|minutes|hours/)
      if (/duration|age|time|latency/.test(name)) expect(name).toMatch(/_seconds(_total)?$/)
      if (name.includes('bytes')) expect(name).toMatch(/_bytes(_total)?$/)
      expect(help, name).toMatch(/^[A-Z].+\.$/)
    }
  })

  test('the metrics are those that the README lists, with their types and labels', async () => {
    const campaign = await openCampaign(3, {}, FRESH)
    await scrape(campaign)
    const { metrics } = await scrape(campaign)
    const served = metrics.map(({ name, type, samples }) => {
      const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)))
      labels.delete('le')
      return { name, type, labels: [...labels].sort() }
    })
    const readme = repositoryText('src/metrics/README.md')
    const rows = [...readme.matchAll(/^\| `(campaignd_\w+)` \| (\w+) \| ([^|]*)\| \S.* \|$/gm)]
    const listed = rows.map(([, name = '', type = '', labels = '']) => ({
      name,
      type,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).sort(),
    }))
    expect(byName(served)).toEqual(byName(listed))
    expect(readme.match(/^\| `campaignd_/gm)).toHaveLength(listed.length)
  })

  test('the metrics of two services in one process do not mix', async () => {
    const [one, other] = [await openCampaign(3, {}, FRESH), await openApp(FRESH)]
    await scrape(one)
    expect((await scrape(one)).value('campaignd_experiments', { status: 'pending' })).toBe(3)
    expect((await scrape(other)).value('campaignd_experiments', { status: 'pending' })).toBe(0)
  })
})

describe('requests', () => {
  test('requests are counted by method, route template and status, and timed', async () => {
    const campaign = await openCampaign(3, {}, FRESH)
    for (const exp of ['0001', '0002', '0003']) await campaign.report(exp, { status: 'running', worker: 'w' })
    await campaign.report('0001', { status: 'running', worker: 'another' })
    await campaign.report('none', { status: 'running' })
    await campaign.call('GET', `${campaign.path}/experiments/0001`)
    await campaign.call('HEAD', `${campaign.path}/experiments/0001`)
    const found = await scrape(campaign)
    expect(requests(found, 'POST', '/v1/campaigns', 201)).toBe(1)
    expect(requests(found, 'PATCH', EXPERIMENT, 200)).toBe(3)
    expect(requests(found, 'PATCH', EXPERIMENT, 409)).toBe(1)
    expect(requests(found, 'PATCH', EXPERIMENT, 404)).toBe(1)
    expect(requests(found, 'GET', EXPERIMENT, 200)).toBe(1)
    expect(requests(found, 'HEAD', EXPERIMENT, 200)).toBe(1)
    expect(requests(found, 'GET', '/metrics', 200)).toBe(0)
    expect(timed(found, 'PATCH', EXPERIMENT)).toBe(5)
    const buckets = found
      .samples('campaignd_http_request_duration_seconds_bucket')
      .filter(({ labels }) => labels['method'] === 'PATCH' && labels['route'] === EXPERIMENT)
    expect(buckets.at(-1)).toMatchObject({ labels: { le: '+Inf' }, value: 5 })
    expect(buckets[0]?.value).toBeLessThanOrEqual(5)
    const sum = found.value('campaignd_http_request_duration_seconds_sum', { method: 'PATCH', route: EXPERIMENT })
    expect(sum).toBeGreaterThan(0)
    expect(sum).toBeLessThan(10)
    expect(requests(await scrape(campaign), 'GET', '/metrics', 200)).toBe(1)
  })

  test('requests for what is not there share one route, whatever they ask for', async () => {
    const app = await openApp(FRESH)
    for (let index = 0; index < 20; index += 1) await app.call('GET', `/nothing/${index}`)
    await app.call('GET', '/v1/campaigns/%zz')
    await app.call('GET', `/v1/campaigns/${'a'.repeat(600)}`)
    const found = await scrape(app)
    expect(requests(found, 'GET', 'unknown', 404)).toBe(20)
    expect(requests(found, 'GET', 'unknown', 400)).toBe(1)
    expect(requests(found, 'GET', 'unknown', 414)).toBe(1)
    expect(found.samples('campaignd_http_requests_total')).toHaveLength(3)
  })

  test('requests that had to wait are counted and not timed', async () => {
    const campaign = await openCampaign(3, {}, FRESH)
    const url = `${campaign.path}/progress?wait=1`
    await campaign.call('GET', url)
    const before = await scrape(campaign)
    expect(requests(before, 'GET', PROGRESS, 200)).toBe(1)
    expect(timed(before, 'GET', PROGRESS)).toBe(1)
    const tag = etagOf(await campaign.call('GET', url))
    expect((await campaign.call('GET', url, { headers: { 'if-none-match': tag } })).status).toBe(304)
    const after = await scrape(campaign)
    expect(requests(after, 'GET', PROGRESS, 304)).toBe(1)
    expect(timed(after, 'GET', PROGRESS)).toBe(2)
  })
})

test('streams are counted when they begin, shown while they are open, and not timed', async () => {
  const campaign = await openCampaign(3, {}, FRESH)
  const url = await campaign.listen()
  const route = '/v1/campaigns/:campaign_id/events'
  const readers = await Promise.all([1, 2, 3].map(() => follow(`${url}${campaign.path}/events`)))
  const open = await scrape(campaign)
  expect(open.value('campaignd_event_streams_open')).toBe(3)
  expect(requests(open, 'GET', route, 200)).toBe(3)
  expect((await campaign.call('GET', '/v1/campaigns/none/events')).status).toBe(404)
  await campaign.call('DELETE', campaign.path)
  for (const reader of readers) await expect.poll(() => reader.ended).toBe(true)
  const over = await scrape(campaign)
  expect(over.value('campaignd_event_streams_open')).toBe(0)
  expect(over.value('campaignd_event_streams_dropped_total')).toBe(0)
  expect(requests(over, 'GET', route, 200)).toBe(3)
  // That of the refusal.
  expect(timed(over, 'GET', route)).toBe(1)
})

describe('commits', () => {
  test('commits are counted with their calls and bytes', async () => {
    const campaign = await openCampaign(8, {}, FRESH)
    await Promise.all(
      Array.from({ length: 8 }, (_, index) => campaign.report(`000${index + 1}`, { status: 'running', worker: 'w' })),
    )
    await campaign.report('0001', { status: 'running', worker: 'w' })
    const found = await scrape(campaign)
    const commits = found.value('campaignd_commits_total', { outcome: 'durable' }) ?? 0
    expect(commits).toBeGreaterThanOrEqual(2)
    expect(commits).toBeLessThanOrEqual(9)
    expect(found.value('campaignd_commit_duration_seconds_count')).toBe(commits)
    expect(found.value('campaignd_commit_duration_seconds_sum')).toBeGreaterThan(0)
    expect(found.value('campaignd_commit_calls_count')).toBe(commits)
    // The creation and eight reports; what changed nothing needed no commit.
    expect(found.value('campaignd_commit_calls_sum')).toBe(9)
    const size = readFileSync(manifestPath(campaign.dataDir, 'sweep')).length
    expect(found.value('campaignd_commit_bytes_total')).toBeGreaterThan(size)
    expect(found.value('campaignd_commit_bytes_total')).toBeLessThanOrEqual(size * commits)
    await campaign.call('DELETE', `${campaign.path}?force=true`)
    expect((await scrape(campaign)).value('campaignd_commits_total', { outcome: 'durable' })).toBe(commits + 1)
  })

  test('failed commits are counted by outcome; campaigns that cannot be read leave the other metrics', async () => {
    const campaign = await openCampaign(3, {}, FRESH)
    const before = await scrape(campaign)
    expect(before.value('campaignd_commits_total', { outcome: 'failed' })).toBe(0)
    expect(before.value('campaignd_campaigns', { state: 'pending' })).toBe(1)
    const directory = join(campaign.dataDir, 'campaigns')
    renameSync(directory, `${directory}.away`)
    // The directory is not looked at more than once a second.
    await sleep(1100)
    try {
      expect((await campaign.report('0001', { status: 'running' })).status).toBe(503)
      const found = await scrape(campaign)
      expect(found.value('campaignd_commits_total', { outcome: 'failed' })).toBe(1)
      expect(found.value('campaignd_commits_total', { outcome: 'durable' })).toBe(1)
      expect(found.value('campaignd_commit_bytes_total')).toBe(before.value('campaignd_commit_bytes_total'))
      expect(found.samples('campaignd_campaigns')).toEqual([])
      expect(found.names).toEqual(before.names)
    } finally {
      renameSync(`${directory}.away`, directory)
    }
    expect((await scrape(campaign)).value('campaignd_campaigns', { state: 'pending' })).toBe(1)
  })
})

test('the age of the lock is how long ago it was refreshed, and infinite when it is gone', async () => {
  // Its own refresh would find the time of the lock changed, and give it up.
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const app = await openApp(FRESH)
  const lock = join(app.dataDir, 'lock')
  const age = async () => (await scrape(app)).value('campaignd_lock_refresh_age_seconds') ?? NaN
  const before = await age()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000)
  const after = await age()
  expect(after - before).toBeGreaterThanOrEqual(1.9)
  // A time of the wall clock says nothing.
  const then = new Date(Date.now() - 3600_000)
  utimesSync(lock, then, then)
  expect(await age()).toBeLessThan(3600)
  renameSync(lock, `${lock}.away`)
  try {
    expect(await age()).toBe(Infinity)
  } finally {
    renameSync(`${lock}.away`, lock)
  }
  expect(await age()).toBeGreaterThanOrEqual(after)
})

test('leases are shown while they live, and counted when they run out', async () => {
  const campaign = await openCampaign(4, { settings: { lease_seconds: 10, max_retries: 0 } }, FRESH)
  await claim(campaign, { limit: 3 })
  const live = await scrape(campaign)
  expect(live.value('campaignd_leases_live')).toBe(3)
  expect(live.value('campaignd_leases_expired_total')).toBe(0)
  await campaign.report('0001', { status: 'completed', attempt: 1 })
  await campaign.elapse(11)
  const over = await scrape(campaign)
  expect(over.value('campaignd_leases_live')).toBe(0)
  expect(over.value('campaignd_leases_expired_total')).toBe(2)
  expect(over.value('campaignd_experiments', { status: 'failed' })).toBe(2)
})

describe('campaigns', () => {
  test('campaigns are shown by state and their experiments by status, as they are now', async () => {
    const campaign = await openCampaign(4, {}, FRESH)
    await campaign.call('POST', '/v1/campaigns', { body: campaignDraft(2, { campaign_id: 'other' }) })
    writeFileSync(manifestPath(campaign.dataDir, 'torn'), '{')
    expect((await campaign.call('GET', '/v1/campaigns/torn')).status).toBe(409)
    await campaign.report('0001', { status: 'completed' })
    await campaign.report('0002', { status: 'failed', error: 'x' })
    await campaign.report('0003', { status: 'running' })
    await campaign.report('0004', { status: 'skipped' })
    const of = async (name: string, label: string) => {
      const samples = (await scrape(campaign)).samples(name)
      return Object.fromEntries(samples.map(({ labels, value }): [string, number] => [labels[label] ?? '', value]))
    }
    const none = { completed: 0, failed: 0, idle: 0, paused: 0 }
    expect(await of('campaignd_campaigns', 'state')).toEqual({ ...none, running: 1, pending: 1, corrupt: 1 })
    const each = { completed: 1, failed: 1, running: 1, skipped: 1 }
    expect(await of('campaignd_experiments', 'status')).toEqual({ ...each, pending: 2 })
    const found = await scrape(campaign)
    for (const [status, count] of Object.entries({ ...each, pending: 0 })) {
      expect(found.value('campaignd_campaign_experiments', { campaign_id: 'sweep', status })).toBe(count)
      expect(found.value('campaignd_campaign_experiments', { campaign_id: '_other', status })).toBe(0)
    }
    expect(found.value('campaignd_campaign_experiments', { campaign_id: 'other', status: 'pending' })).toBe(2)
    await campaign.call('DELETE', '/v1/campaigns/other')
    const left = await scrape(campaign)
    expect(left.value('campaignd_campaign_experiments', { campaign_id: 'other', status: 'pending' })).toBeUndefined()
    expect(left.value('campaignd_experiments', { status: 'pending' })).toBe(0)
  })

  test('campaigns are shown one by one when they are among the 50 changed last; the others together', async () => {
    const app = await openApp(FRESH)
    for (let index = 0; index < 60; index += 1) {
      app.setTime(`2026-03-01T12:00:${String(index).padStart(2, '0')}.000Z`)
      await app.call('POST', '/v1/campaigns', { body: campaignDraft(2, { campaign_id: `c${index}` }) })
    }
    app.setTime('2026-03-01T13:00:00.000Z')
    await app.call('PATCH', '/v1/campaigns/c3/experiments/0001', { body: { status: 'running' } })
    const found = await scrape(app)
    const pending = found
      .samples('campaignd_campaign_experiments')
      .filter(({ labels }) => labels['status'] === 'pending')
      .map(({ labels, value }): [string, number] => [labels['campaign_id'] ?? '', value])
    const newest = Array.from({ length: 49 }, (_, index): [string, number] => [`c${index + 11}`, 2])
    expect(new Map(pending)).toEqual(new Map([['c3', 1], ['_other', 20], ...newest]))
    expect(pending).toHaveLength(51)
    expect(found.value('campaignd_experiments', { status: 'pending' })).toBe(119)
    expect(
      (await app.call('POST', '/v1/campaigns', { body: campaignDraft(1, { campaign_id: '_other' }) })).status,
    ).toBe(400)
  })
})

function byName<T extends { readonly name: string }>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))
}
