import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { campaignDraft } from '../../../support/campaigns/drafts.js'
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
