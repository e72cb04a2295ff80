import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import type { ClaimReply } from '../../../support/campaigns/claims.js'
import { expectProblem } from '../../../support/http/problems.js'
import { openApp, type TestApp } from '../../../support/service/app.js'
import { layManifest, readManifest, storedManifest } from '../../../support/store/files.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

/** A manifest that the service wrote before it had a format, and the body of its creation. */
const OLD = sample('manifest')
const BODY = sample('body')
const PATH = '/v1/campaigns/format-1'

function sample(name: string): string {
  return readFileSync(new URL(`../../../samples/format-1/${name}.json`, import.meta.url), 'utf8')
}

async function openOld(text = OLD): Promise<TestApp & { readonly dataDir: string }> {
  const dataDir = temporaryDirectory()
  layManifest(dataDir, 'format-1', text)
  return openApp({ dataDir })
}

test('a manifest of format 1 is read, is what it was, and is left as it is until its first change', async () => {
  const { call, dataDir } = await openOld()
  const read = (await call('GET', PATH)).json<CampaignManifest>()
  const old = JSON.parse(OLD) as CampaignManifest
  expect(read).toMatchObject({
    ...{ uid: old.uid, revision: old.revision, labels: old.labels, definition_digest: old.definition_digest },
    ...{ format: 2, cancel_running: true, body_digest: null, created_by: null, imported_at: null, archived: false },
    settings: { max_retries: 1, max_losses: 1, lease_seconds: 2, paused: true, worker_failure_limit: 5, priority: 0 },
  })
  const { lease: _lease, attempts: _attempts, ...third } = old.experiments[2] ?? {}
  expect(read.experiments[2]).toMatchObject({ ...third, lease: { seconds: 600, claim_id: 'c1', claimed_at: null } })
  expect(readManifest(dataDir, 'format-1')).toBe(OLD)
})

test('its first change writes it in format 2, in one layout, and it is read again', async () => {
  const { call, dataDir } = await openOld()
  const body = { status: 'completed', worker: 'gpu-4', attempt: 2 }
  expect((await call('PATCH', `${PATH}/experiments/0003`, { body })).status).toBe(200)
  const text = readManifest(dataDir, 'format-1')
  expect(text).toBe((await call('GET', PATH)).text)
  const { format, experiments } = storedManifest(dataDir, 'format-1')
  expect(format).toBe(2)
  for (const experiment of experiments) expect(Object.keys(experiment)).toEqual(Object.keys(experiments[0] ?? {}))
  const again = await openApp({ dataDir: copyOf(text) })
  expect((await again.call('GET', PATH)).text).toBe(text)
})

test('what was given up is not handed out again, and what was not is', async () => {
  const manifest = JSON.parse(OLD) as { experiments: { exp_id: string; attempts: object[] }[] }
  // One that failed once before it was lost: both used up the same retry.
  const mixed = manifest.experiments.find(({ exp_id }) => exp_id === '0005')
  Object.assign(mixed?.attempts[0] ?? {}, { failure_kind: 'error' })
  for (const text of [OLD, `${JSON.stringify(manifest)}\n`]) {
    const { call } = await openOld(text)
    await call('PATCH', PATH, { body: { settings: { paused: false } } })
    const claimed = await call('POST', `${PATH}/claims`, { body: { worker: 'w', limit: 100 } })
    const ids = claimed.json<ClaimReply>().claims.map(({ experiment }) => experiment.exp_id)
    expect(ids).toEqual(['0007', '0008', '0006'])
  }
})

test('the body that made it finds it, another one is refused', async () => {
  const { call } = await openOld()
  expect((await call('POST', '/v1/campaigns', { rawBody: BODY })).status).toBe(200)
  const other = { ...(JSON.parse(BODY) as object), config_hash: 'other' }
  expectProblem(await call('POST', '/v1/campaigns', { body: other }), 409, 'campaign-exists')
})

test('a manifest of a newer format is left alone, and the reason says which ones are read', async () => {
  const { call } = await openOld(OLD.replace('"revision": 18,', '"revision": 18,\n  "format": 3,'))
  const { campaigns } = (await call('GET', '/v1/campaigns')).json<{ campaigns: { state: string; reason: string }[] }>()
  expect(campaigns).toMatchObject([{ state: 'corrupt' }])
  expect(campaigns[0]?.reason).toContain('its format is 3, and this version of the service reads formats up to 2')
})

test('closed attempts in disorder, which its imports let in, are put in order', async () => {
  const manifest = JSON.parse(OLD) as { experiments: { attempt: number; status: string; attempts: object[] }[] }
  const experiment = manifest.experiments.find(({ attempts }) => attempts.length > 0)
  const [past] = experiment?.attempts ?? []
  const numbers = [4, 3, 9, 1, 3]
  Object.assign(experiment ?? {}, {
    ...{ status: 'failed', attempt: 4, retry_count: 3, failure_kind: 'error', lease: null },
    attempts: numbers.map((attempt) => ({ ...past, attempt })),
  })
  const { call } = await openOld(`${JSON.stringify(manifest)}\n`)
  const text = (await call('GET', PATH)).text
  const read = (JSON.parse(text) as CampaignManifest).experiments.find(({ attempt }) => attempt === 4)
  expect(read?.attempts.map(({ attempt }) => attempt)).toEqual([1, 3])
  expect((await call('POST', '/v1/campaigns?campaign_id=copy', { rawBody: text })).status).toBe(201)
})

test('an exported manifest of format 1 can be imported', async () => {
  const { call } = await openApp()
  const created = await call('POST', '/v1/campaigns', { rawBody: OLD })
  expect(created.status).toBe(201)
  expect(created.json()).toMatchObject({ format: 2, revision: 1, settings: { max_losses: 3 } })
})

function copyOf(text: string): string {
  const dataDir = temporaryDirectory()
  layManifest(dataDir, 'format-1', text)
  return dataDir
}
