import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { campaignDraft, experimentDraft } from '../../../support/campaigns/drafts.js'
import { SAMPLES, sampleText, TORN_SAMPLE } from '../../../support/campaigns/samples.js'
import { openApp } from '../../../support/service/app.js'

interface Manifest {
  campaign_id: string
  revision: number
  labels: Record<string, string>
  experiments: { exp_id: string; status: string; attempt: number }[]
}

test('the response to a create is the content of its file', async () => {
  const { call, dataDir } = await openApp()
  const created = await call('POST', '/v1/campaigns', { body: campaignDraft(2) })
  expect(created.status).toBe(201)
  expect(created.headers['location']).toBe('/v1/campaigns/sweep')
  expect(created.text).toBe(readFileSync(join(dataDir, 'campaigns/sweep.json'), 'utf8'))
})

test('the same creation again finds the campaign as it stands, another definition is refused', async () => {
  const { call } = await openApp()
  await call('POST', '/v1/campaigns', { body: campaignDraft(2) })
  await call('PATCH', '/v1/campaigns/sweep/experiments/0001', { body: { status: 'running' } })
  const again = await call('POST', '/v1/campaigns', { body: campaignDraft(2) })
  expect(again.status).toBe(200)
  expect(again.json<Manifest>().revision).toBe(2)
  const other = await call('POST', '/v1/campaigns', { body: campaignDraft(3) })
  expect(other.status).toBe(409)
  expect(other.json()).toMatchObject({ code: 'campaign-exists' })
})

test('the same body is told from another one by all that it says, and by nothing that only the service sets', async () => {
  const { call } = await openApp()
  const body = campaignDraft(2, { created_at: '2026-02-03T21:04:17', labels: { team: 'inference' } })
  const create = async (given: object) => (await call('POST', '/v1/campaigns', { body: { ...body, ...given } })).status
  expect(await create({})).toBe(201)
  await call('PATCH', '/v1/campaigns/sweep', { body: { settings: { max_retries: 9 }, labels: { team: null } } })
  await call('POST', '/v1/campaigns/sweep/experiments', { body: { experiments: [experimentDraft('0003')] } })
  const same = [
    { created_at: '2026-02-03T22:04:17+01:00' },
    { settings: { max_retries: 0, paused: false }, archived: false },
    { total_experiments: 2, revision: 7, uid: '0'.repeat(16), format: 2 },
    {
      experiments: body.experiments.map((one) => ({
        ...one,
        status: 'pending',
        attempt: 0,
        lease: null,
        run_id: null,
      })),
    },
  ]
  for (const given of same) expect(await create(given), JSON.stringify(given)).toBe(200)
  const other = [
    { campaign_name: 'another' },
    { created_at: undefined },
    { settings: { max_retries: 9 } },
    { labels: {} },
    { archived: true },
    { experiments: body.experiments.map((one) => ({ ...one, status: 'completed' })) },
  ]
  for (const given of other) expect(await create(given), JSON.stringify(given)).toBe(409)
})

test('what another format holds beside is kept as it is, up to 4 KiB', async () => {
  const { call } = await openApp()
  const create = (source: unknown) => call('POST', '/v1/campaigns', { body: { ...campaignDraft(1), source } })
  for (const source of [{ text: 'x'.repeat(4096) }, 'text', [1]]) {
    expect((await create(source)).json()).toMatchObject({ status: 400, errors: [{ pointer: '/source' }] })
  }
  const source = { tool: 'study', version: '0.8.0', nested: { list: [1, null] } }
  expect((await create(source)).json()).toMatchObject({ source })
  // The order of keys says nothing.
  expect((await create({ nested: { list: [1, null] }, version: '0.8.0', tool: 'study' })).status).toBe(200)
})

test('a campaign may begin empty, and is appended to', async () => {
  const { call } = await openApp()
  const created = await call('POST', '/v1/campaigns', { body: campaignDraft(0) })
  expect(created.status).toBe(201)
  const progress = async () => (await call('GET', '/v1/campaigns/sweep/progress')).json<object>()
  expect(await progress()).toMatchObject({ state: 'pending', total: 0, progress_fraction: 0, is_complete: false })
  const claims = () => call('POST', '/v1/campaigns/sweep/claims', { body: { worker: 'w', backend: 'vllm' } })
  expect((await claims()).json()).toEqual({ claims: [], state: 'pending', done: false })
  expect((await call('GET', '/v1/campaigns/sweep?format=llenergymeasure')).status).toBe(200)
  expect((await call('POST', '/v1/campaigns/sweep/resume', { body: {} })).json()).toMatchObject({ plan: [] })
  const experiments = [experimentDraft('0001')]
  expect((await call('POST', '/v1/campaigns/sweep/experiments', { body: { experiments } })).status).toBe(201)
  expect((await claims()).json()).toMatchObject({ claims: [{ experiment: { exp_id: '0001' } }], state: 'running' })
})

test.each(SAMPLES)('sample %s comes back byte for byte, but for updated_at', async (name) => {
  const { call } = await openApp()
  const text = sampleText(name)
  const { campaign_id } = JSON.parse(text) as Manifest
  expect((await call('POST', '/v1/campaigns', { rawBody: text })).status).toBe(201)
  const exported = await call('GET', `/v1/campaigns/${campaign_id}?format=llenergymeasure`)
  const withoutUpdate = (manifest: string) => manifest.replace(/"updated_at": "[^"]*"/, '')
  expect(withoutUpdate(exported.text)).toBe(withoutUpdate(text))
})

test('brackets within texts are no levels', async () => {
  const { call } = await openApp()
  const labels = { opened: '['.repeat(100), quoted: '"{'.repeat(100), escaped: '\\"['.repeat(100) }
  const created = await call('POST', '/v1/campaigns', { body: campaignDraft(2, { labels }) })
  expect(created.status).toBe(201)
  expect(created.json<Manifest>().labels).toEqual(labels)
})

test('a torn manifest is refused as no JSON', async () => {
  const { call } = await openApp()
  const reply = await call('POST', '/v1/campaigns', { rawBody: sampleText(TORN_SAMPLE) })
  expect(reply.status).toBe(400)
  expect(reply.json()).toMatchObject({ code: 'malformed-json' })
})
