import { statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Campaign } from '#campaignd/domain/campaign/campaign.js'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { manifestPieces } from '#campaignd/domain/formats/manifest-json.js'
import { etagOf, openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { newManifest } from '../../../support/campaigns/decisions.js'
import { campaignDraft, experimentDraft } from '../../../support/campaigns/drafts.js'
import { Scrape } from '../../../support/http/metrics.js'
import { expectProblem } from '../../../support/http/problems.js'
import { openApp } from '../../../support/service/app.js'
import { bytesOf, layManifest, manifestPath } from '../../../support/store/files.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

const KIB = 1024
const LIMIT = 512 * KIB
const limits = { maxCampaignBytes: LIMIT }

const TRACEBACK = 'File "bench.py", line 12, in run\n'.repeat(300)

function updates(count: number, report: object): object {
  return {
    updates: Array.from({ length: count }, (_, index) => ({ exp_id: String(index + 1).padStart(4, '0'), ...report })),
  }
}

function large(count: number, name: string): object[] {
  return Array.from({ length: count }, (_, index) =>
    experimentDraft(`${name}-${index}`, { config_path: 'x'.repeat(4000) }),
  )
}

/** Every experiment is started and fails, so many times. */
async function failAll({ call, path, dataDir }: TestCampaign, count: number, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    for (const report of [{ status: 'running' }, { status: 'failed', error: `${time} ${TRACEBACK}` }]) {
      const { status, text } = await call('PATCH', `${path}/experiments`, { body: updates(count, report) })
      expect(status, text).toBe(200)
      expect(text).not.toContain('"problem"')
      expect(statSync(manifestPath(dataDir, 'sweep')).size).toBeLessThanOrEqual(LIMIT)
    }
  }
}

describe('a campaign near CAMPAIGND_MAX_CAMPAIGN_BYTES', () => {
  test('takes no more experiments, by creation or append, and nothing is changed', async () => {
    const { call, path, dataDir } = await openCampaign(1, {}, { limits })
    const create = { body: campaignDraft(0, { campaign_id: 'other', experiments: large(100, 'a') as never }) }
    const append = (name: string) => call('POST', `${path}/experiments`, { body: { experiments: large(10, name) } })
    let files = bytesOf(dataDir)
    const refused = expectProblem(await call('POST', '/v1/campaigns', create), 409, 'campaign-full')
    expect(refused.detail).toMatch(
      /^Campaign other with its 100 experiments would have \d+ KiB, more than 80 % of the 512 KiB/,
    )
    expect(bytesOf(dataDir)).toEqual(files)
    const statuses = []
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']) {
      files = bytesOf(dataDir)
      const reply = await append(name)
      statuses.push(reply.status)
      if (reply.status === 201) continue
      expectProblem(reply, 409, 'campaign-full')
      expect(bytesOf(dataDir)).toEqual(files)
    }
    expect(statuses).toEqual([201, 201, 201, 201, 201, 201, 201, 201, 201, 409])
    // What is there may be posted again.
    expect((await append('a')).status).toBe(200)
  })

  test('whose experiments just fit can be given labels, run, exported and created again', async () => {
    const { call } = await openApp({ limits })
    const create = (count: number) =>
      call('POST', '/v1/campaigns', {
        body: campaignDraft(0, { campaign_id: 'full', experiments: large(count, 'a') as never }),
      })
    let count = 100
    while ((await create(count)).status === 409) count -= 1
    const labels = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`label-${index}`, 'x'.repeat(1000)]))
    expect((await call('PATCH', '/v1/campaigns/full', { body: { labels } })).status).toBe(200)
    const claimed = await call('POST', '/v1/campaigns/full/claims', {
      body: { worker: 'gpu-1'.repeat(10), limit: 100 },
    })
    expect(claimed.json<{ claims: object[] }>().claims).toHaveLength(count)
    const exported = await call('GET', '/v1/campaigns/full')
    const again = await call('POST', '/v1/campaigns?campaign_id=again', { rawBody: exported.text })
    expect(again.status, again.text.slice(0, 500)).toBe(201)
  })

  test('takes every report, its file stays within the limit, and a start serves it', async () => {
    const campaign = await openCampaign(500, {}, { limits })
    await failAll(campaign, 500, 20)
    const { call, path, dataDir } = campaign
    const before = await call('GET', path)
    expect(Buffer.byteLength(before.text)).toBe(statSync(manifestPath(dataDir, 'sweep')).size)
    expect(before.headers['content-length']).toBe(String(Buffer.byteLength(before.text)))
    await campaign.restart()
    const after = await call('GET', path)
    expect([after.text, etagOf(after)]).toEqual([before.text, etagOf(before)])
    const { experiments } = after.json<CampaignManifest>()
    expect(experiments.filter(({ status, attempt }) => status === 'failed' && attempt === 20)).toHaveLength(500)
    for (const { error } of experiments) expect(error).toMatch(/bytes cut\]\n/)
  })

  test('answers a report, a claim and the experiment alike, where it cuts what is reported', async () => {
    const campaign = await openCampaign(500, { settings: { max_retries: 100 } }, { limits })
    await failAll(campaign, 500, 5)
    const { call, path, report } = campaign
    const claimed = await call('POST', `${path}/claims`, { body: { worker: 'gpu-1', limit: 100 } })
    const claims = claimed.json<{ claims: { experiment: { exp_id: string } }[] }>().claims
    expect(claims).toHaveLength(100)
    for (const { experiment } of claims.slice(0, 10)) {
      const { exp_id } = experiment
      expect((await call('GET', `${path}/experiments/${exp_id}`)).json()).toMatchObject(experiment)
      const reported = await report(exp_id, { status: 'failed', worker: 'gpu-1', error: TRACEBACK })
      expect(reported.status).toBe(200)
      const shown = await call('GET', `${path}/experiments/${exp_id}`)
      expect([shown.json(), etagOf(shown)]).toEqual([reported.json(), etagOf(reported)])
    }
  })

  test('makes no revision for a report that is repeated, though its error was cut since', async () => {
    const campaign = await openCampaign(500, {}, { limits })
    await failAll(campaign, 500, 3)
    const { call, path, report } = campaign
    const before = await call('GET', path)
    const again = await report('0001', { status: 'failed', error: `2 ${TRACEBACK}` })
    expect([again.status, again.json<{ error: string }>().error.length]).toEqual([200, expect.any(Number)])
    expect(again.json<{ error: string }>().error.length).toBeLessThan(8000)
    expect(etagOf(await call('GET', path))).toBe(etagOf(before))
  })

  test('can be exported, in both layouts, and created again where the limit is the same', async () => {
    const campaign = await openCampaign(500, {}, { limits })
    await failAll(campaign, 500, 3)
    const { call, path } = campaign
    const ours = await call('GET', path)
    expect(Buffer.byteLength(ours.text)).toBeGreaterThan(0.8 * LIMIT)
    const tool = await call('GET', `${path}?format=llenergymeasure`)
    const { call: there } = await openApp({ limits })
    for (const text of [ours.text, tool.text]) {
      const created = await there('POST', '/v1/campaigns', { rawBody: text })
      expect(created.status, created.text.slice(0, 500)).toBe(201)
      const kept = (manifest: CampaignManifest) =>
        manifest.experiments.map(({ exp_id, status, error, retry_count }) => [exp_id, status, error, retry_count])
      expect(kept(created.json())).toEqual(kept(ours.json()))
      expect((await there('DELETE', '/v1/campaigns/sweep')).status).toBe(204)
    }
  })

  test('is told of by one notice in the log and by metrics', async () => {
    const lines: string[] = []
    const log = { write: (line: string) => void lines.push(line) }
    const campaign = await openCampaign(500, {}, { limits, log })
    const { call } = campaign
    const notices = () => lines.filter((line) => line.includes('CAMPAIGND_MAX_CAMPAIGN_BYTES'))
    expect(notices()).toEqual([])
    await failAll(campaign, 500, 3)
    expect(notices()).toHaveLength(1)
    expect(JSON.parse(notices()[0] ?? '')).toMatchObject({ campaign_id: 'sweep', limit: LIMIT, level: 40 })
    const scrape = new Scrape((await call('GET', '/metrics')).text)
    expect(scrape.value('campaignd_experiments_shrunk_total')).toBeGreaterThan(500)
    const [sample] = scrape.samples('campaignd_campaign_bytes')
    expect(sample?.labels).toEqual({ campaign_id: 'sweep' })
    expect(sample?.value).toBeGreaterThan(0.8 * LIMIT)
  })
})

test('a campaign above the limit, made where there was none, is served and takes reports, which make it smaller', async () => {
  const dataDir = temporaryDirectory()
  const manifest = newManifest('sweep', 300)
  for (const experiment of manifest.experiments) {
    Object.assign(experiment, { status: 'failed', attempt: 1, failure_kind: 'error', error: TRACEBACK.slice(-8000) })
  }
  layManifest(dataDir, 'sweep', [...manifestPieces(Campaign.of(manifest))].join(''))
  const { call } = await openApp({ limits, dataDir })
  const size = () => statSync(manifestPath(dataDir, 'sweep')).size
  let before = size()
  expect(before).toBeGreaterThan(4 * LIMIT)
  for (let index = 1; before > LIMIT; index += 1) {
    const path = `/v1/campaigns/sweep/experiments/${String(index).padStart(4, '0')}`
    expect((await call('PATCH', path, { body: { status: 'running' } })).status).toBe(200)
    expect(size()).toBeLessThan(before)
    before = size()
  }
  const patched = await call('PATCH', '/v1/campaigns/sweep', { body: { labels: { a: 'b' } } })
  expect(patched.json<CampaignManifest>().labels).toEqual({ a: 'b' })
  expectProblem(
    await call('POST', '/v1/campaigns/sweep/experiments', { body: { experiments: [experimentDraft('new')] } }),
    409,
    'campaign-full',
  )
})

test('labels are bounded in bytes', async () => {
  const { call, path, manifest } = await openCampaign(1)
  const labels = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`${index}${'k'.repeat(3000)}`, 'v']))
  const refused = expectProblem(await call('PATCH', path, { body: { labels } }), 400, 'invalid')
  expect(refused.errors).toEqual([
    { pointer: '/labels', detail: expect.stringMatching(/more than 131072$/) as unknown },
  ])
  const created = await call('POST', '/v1/campaigns', { body: campaignDraft(1, { campaign_id: 'other', labels }) })
  expectProblem(created, 400, 'invalid')
  expect((await manifest()).labels).toEqual({})
})

describe('a large response is sent in pieces', () => {
  test('a batch that is refused as a whole has all of its results', async () => {
    const { call, path } = await openCampaign(1, {
      experiments: [
        experimentDraft('0001', { config_path: '\u0001'.repeat(4000), config_name: '\u0001'.repeat(4000) }),
      ],
    })
    const stale = Array.from({ length: 1000 }, () => ({ exp_id: '0001', status: 'running', attempt: 7 }))
    const refused = await call('PATCH', `${path}/experiments?atomic=true`, { body: { updates: stale } })
    expect(expectProblem(refused, 409, 'batch-refused').results).toHaveLength(1000)
  })

  test('the manifest of a change is that of the change, whatever changed since', async () => {
    const { call, path } = await openCampaign(3000)
    const names = ['a', 'b', 'c', 'd']
    const replies = await Promise.all(names.map((campaign_name) => call('PATCH', path, { body: { campaign_name } })))
    for (const [index, reply] of replies.entries()) {
      const manifest = reply.json<CampaignManifest>()
      expect(reply.status).toBe(200)
      expect(manifest.campaign_name).toBe(names[index])
      expect(manifest.experiments).toHaveLength(3000)
      expect(etagOf(reply)).toContain(`-${manifest.revision}"`)
    }
  })

  test('appends, resumes and retries answer all of their experiments, in order', async () => {
    const { call, path } = await openCampaign(1)
    const experiments = Array.from({ length: 3000 }, (_, index) => experimentDraft(`new-${index}`))
    const appended = await call('POST', `${path}/experiments`, { body: { experiments } })
    expect(appended.status).toBe(201)
    const { experiments: shown, revision } = appended.json<{ experiments: { exp_id: string }[]; revision: number }>()
    expect([shown.map(({ exp_id }) => exp_id), revision]).toEqual([experiments.map(({ exp_id }) => exp_id), 2])
    const resumed = await call('POST', `${path}/resume`)
    expect(resumed.json<{ remaining: string[] }>().remaining).toHaveLength(3001)
    const failed = { updates: experiments.slice(0, 1000).map(({ exp_id }) => ({ exp_id, status: 'failed' })) }
    const batch = await call('PATCH', `${path}/experiments`, { body: failed })
    expect(batch.json<{ results: unknown[] }>().results).toHaveLength(1000)
    const retried = (await call('POST', `${path}/retry`)).json<{ retried: string[]; skipped: string[] }>()
    expect([retried.retried.length, retried.skipped]).toEqual([1000, []])
  })

  test('over a real connection, also to a client that leaves in the middle and to one that reads slowly', async () => {
    const { listen, path, call } = await openCampaign(20_000)
    const url = `${await listen()}${path}`
    const whole = (await call('GET', path)).text
    const leaving = new AbortController()
    const left = await fetch(url, { signal: leaving.signal })
    await left.body?.getReader().read()
    leaving.abort()
    const response = await fetch(url)
    const pieces: Uint8Array[] = []
    for await (const piece of response.body ?? []) {
      pieces.push(piece as Uint8Array)
      if (pieces.length % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(Buffer.concat(pieces).toString() === whole).toBe(true)
    const tool = await (await fetch(`${url}?format=llenergymeasure`)).json()
    expect((tool as CampaignManifest).experiments).toHaveLength(20_000)
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect((await call('GET', `${path}/progress`)).status).toBe(200)
  })
})
