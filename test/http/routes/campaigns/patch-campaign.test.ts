import { expect, test } from 'vitest'
import { etagOf, openCampaign } from '../../../support/campaigns/campaign.js'
import { verdict } from '../../../support/http/problems.js'
import { bytesOf } from '../../../support/store/files.js'

test('name, settings and labels are changed in one revision, and nothing else is', async () => {
  const { call, manifest, path, setTime } = await openCampaign(2, { labels: { team: 'inference', model: 'llama3' } })
  const before = await manifest()
  setTime('2026-03-01T13:00:00.000Z')
  const body = {
    campaign_name: 'renamed',
    settings: { max_retries: 2, paused: true },
    labels: { team: 'training', model: null, owner: 'ada' },
  }
  const reply = await call('PATCH', path, { body })
  expect(reply.status).toBe(200)
  expect(reply.json()).toEqual({
    ...before,
    campaign_name: 'renamed',
    settings: { ...before.settings, max_retries: 2, paused: true },
    labels: { team: 'training', owner: 'ada' },
    revision: 2,
    updated_at: '2026-03-01T13:00:00.000Z',
  })
  const read = await call('GET', path)
  expect(read.text).toBe(reply.text)
  expect(etagOf(read)).toBe(etagOf(reply))
})

test('what is left out stays as it is', async () => {
  const { call, manifest, path } = await openCampaign(1, {
    labels: { team: 'inference' },
    settings: { max_retries: 3 },
  })
  await call('PATCH', path, { body: { settings: { lease_seconds: 120 } } })
  await call('PATCH', path, { body: { labels: { owner: 'ada' } } })
  expect(await manifest()).toMatchObject({
    campaign_name: 'precision sweep',
    settings: { max_retries: 3, lease_seconds: 120, paused: false },
    labels: { team: 'inference', owner: 'ada' },
    revision: 3,
  })
})

test('a change that was made already adds no revision', async () => {
  const { call, dataDir, path } = await openCampaign(1)
  const body = { campaign_name: 'renamed', labels: { team: 'inference', gone: null } }
  const first = await call('PATCH', path, { body })
  const before = bytesOf(dataDir)
  const again = await call('PATCH', path, { body })
  expect(again.text).toBe(first.text)
  expect(etagOf(again)).toBe(etagOf(first))
  expect(bytesOf(dataDir)).toEqual(before)
})

test('a changed campaign is still found by the creation that made it', async () => {
  const { call, manifest, path } = await openCampaign(1)
  const { campaign_id, config_hash, campaign_name, experiments } = await manifest()
  await call('PATCH', path, { body: { campaign_name: 'renamed' } })
  const again = await call('POST', '/v1/campaigns', {
    body: { campaign_id, config_hash, campaign_name, experiments },
  })
  expect(again.status).toBe(200)
  expect(again.json()).toMatchObject({ campaign_name: 'renamed', revision: 2 })
})

test('settings outside of their bounds are refused at their field', async () => {
  const { call, path } = await openCampaign(1)
  const change = async (settings: object) => verdict(await call('PATCH', path, { body: { settings } }))
  expect(await change({ max_retries: -1 })).toBe('400 invalid /settings/max_retries')
  expect(await change({ max_retries: 1001 })).toBe('400 invalid /settings/max_retries')
  expect(await change({ lease_seconds: 0 })).toBe('400 invalid /settings/lease_seconds')
  expect(await change({ lease_seconds: 86_401 })).toBe('400 invalid /settings/lease_seconds')
  expect(await change({ paused: 1 })).toBe('400 invalid /settings/paused')
})
