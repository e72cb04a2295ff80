import { expect, test } from 'vitest'
import { etagOf, openCampaign } from '../../../support/campaigns/campaign.js'
import { expectProblem, verdict } from '../../../support/http/problems.js'
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
  const answer = await call('PATCH', path, { body })
  expect(answer.status).toBe(200)
  expect(answer.json()).toEqual({
    ...before,
    campaign_name: 'renamed',
    settings: { max_retries: 2, lease_seconds: 60, paused: true },
    labels: { team: 'training', owner: 'ada' },
    revision: 2,
    updated_at: '2026-03-01T13:00:00.000Z',
  })
  const read = await call('GET', path)
  expect(read.text).toBe(answer.text)
  expect(etagOf(read)).toBe(etagOf(answer))
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

test('If-Match binds the change to the version of the campaign', async () => {
  const { call, manifest, path, report } = await openCampaign(1)
  const tag = etagOf(await call('GET', path))
  await report('0001', { status: 'running' })
  const headers = { 'if-match': tag }
  expectProblem(await call('PATCH', path, { body: { campaign_name: 'late' }, headers }), 412, 'precondition-failed')
  expect((await manifest()).campaign_name).toBe('precision sweep')

  const current = { 'if-match': etagOf(await call('GET', path)) }
  expect((await call('PATCH', path, { body: { campaign_name: 'in time' }, headers: current })).status).toBe(200)
})

test.each([
  { name: 'a tag that is an asterisk in quotes', value: () => '"*"', status: 412 },
  { name: 'a version without its quotes', value: (tag: string) => tag.replaceAll('"', ''), status: 412 },
  { name: 'a weak tag', value: (tag: string) => `W/${tag}`, status: 412 },
  { name: 'an asterisk', value: () => '*', status: 200 },
  { name: 'one of several tags', value: (tag: string) => `"other", ${tag}`, status: 200 },
])('If-Match with $name is answered $status', async ({ value, status }) => {
  const { call, path } = await openCampaign(1)
  const headers = { 'if-match': value(etagOf(await call('GET', path))) }
  expect((await call('PATCH', path, { body: { campaign_name: 'renamed' }, headers })).status).toBe(status)
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

test('a change of a campaign that there is not is not found', async () => {
  const { call } = await openCampaign(1)
  const answer = await call('PATCH', '/v1/campaigns/nothing', { body: { campaign_name: 'x' } })
  expectProblem(answer, 404, 'campaign-not-found')
})
