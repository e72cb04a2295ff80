import { expect, test } from 'vitest'
import { etagOf, openCampaign } from '../../support/campaigns/campaign.js'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { expectProblem } from '../../support/http/problems.js'
import type { Method } from '../../support/service/app.js'
import { bytesOf } from '../../support/store/files.js'

test.each<[what: string, method: Method, below: string, body?: object]>([
  ['a change', 'PATCH', '', { campaign_name: 'renamed' }],
  ['a manifest that is saved', 'PUT', '', campaignDraft(3)],
  ['an append', 'POST', '/experiments', { experiments: [experimentDraft('0009')] }],
  ['a batch', 'PATCH', '/experiments', { updates: [{ exp_id: '0002', status: 'running' }] }],
  ['a retry', 'POST', '/retry', {}],
  ['a resume', 'POST', '/resume', {}],
  ['a deletion', 'DELETE', ''],
  ['a deletion by force', 'DELETE', '?force=true'],
])('If-Match binds %s to the version of the campaign', async (_what, method, below, body) => {
  const { call, dataDir, path, report } = await openCampaign()
  const makeAt = (tag: string) => call(method, path + below, { body, headers: { 'if-match': tag } })
  const old = etagOf(await call('GET', path))
  await report('0001', { status: 'failed' })
  const before = bytesOf(dataDir)
  expectProblem(await makeAt(old), 412, 'precondition-failed')
  expect(bytesOf(dataDir)).toEqual(before)
  expect((await makeAt(etagOf(await call('GET', path)))).status).toBeLessThan(300)
})

test.each([
  { name: 'a tag that is an asterisk in quotes', value: () => '"*"', status: 412 },
  { name: 'a version without its quotes', value: (tag: string) => tag.replaceAll('"', ''), status: 412 },
  { name: 'a weak tag', value: (tag: string) => `W/${tag}`, status: 412 },
  { name: 'an asterisk', value: () => '*', status: 200 },
  { name: 'one of several tags', value: (tag: string) => `"other", ${tag}`, status: 200 },
])('If-Match with $name is answered $status, on a campaign and on an experiment', async ({ value, status }) => {
  const { call, path, report } = await openCampaign(1)
  const experiment = etagOf(await call('GET', `${path}/experiments/0001`))
  const running = await report('0001', { status: 'running' }, { headers: { 'if-match': value(experiment) } })
  const headers = { 'if-match': value(etagOf(await call('GET', path))) }
  const renamed = await call('PATCH', path, { body: { campaign_name: 'renamed' }, headers })
  expect([running.status, renamed.status]).toEqual([status, status])
})

test('If-Match binds a report to the version of the experiment, not of its campaign', async () => {
  const { call, path, report } = await openCampaign()
  const tag = etagOf(await call('GET', `${path}/experiments/0001`))
  await report('0002', { status: 'running' })
  const made = await report('0001', { status: 'running' }, { headers: { 'if-match': tag } })
  expect(made.status).toBe(200)
  const stale = await report('0001', { status: 'completed' }, { headers: { 'if-match': tag } })
  expectProblem(stale, 412, 'precondition-failed')
  expect((await call('GET', `${path}/experiments/0001`)).json()).toEqual(made.json())
})
