import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { etagOf, openCampaign } from '../../../support/campaigns/campaign.js'
import { campaignDraft } from '../../../support/campaigns/drafts.js'
import { everyCall } from '../../../support/campaigns/every-call.js'
import { expectProblem } from '../../../support/http/problems.js'
import { manifestPath } from '../../../support/store/files.js'

test('a deleted campaign is gone from the list and from the disk', async () => {
  const { call, dataDir, path } = await openCampaign()
  const reply = await call('DELETE', path)
  expect([reply.status, reply.text]).toEqual([204, ''])
  expect(existsSync(manifestPath(dataDir, 'sweep'))).toBe(false)
  expect((await call('GET', '/v1/campaigns')).json()).toMatchObject({ campaigns: [] })
})

test('every call on a campaign that there is not, or not any more, is a 404 at once', async () => {
  const campaign = await openCampaign()
  await campaign.call('DELETE', campaign.path)
  for (const id of ['sweep', 'nothing']) {
    for (const reply of await Promise.all(everyCall(campaign, id))) expectProblem(reply, 404, 'campaign-not-found')
  }
})

test('a campaign of which something runs is deleted only by force', async () => {
  const { call, path, report } = await openCampaign()
  await report('0001', { status: 'running' })
  expectProblem(await call('DELETE', path), 409, 'campaign-running')
  expectProblem(await call('DELETE', `${path}?force=false`), 409, 'campaign-running')
  expect((await call('GET', path)).status).toBe(200)
  expect((await call('DELETE', `${path}?force=true`)).status).toBe(204)
  expectProblem(await call('GET', path), 404, 'campaign-not-found')
})

test('a campaign of which nothing runs any more is deleted without force', async () => {
  const { call, path, report } = await openCampaign(2)
  await report('0001', { status: 'running' })
  await report('0001', { status: 'failed' })
  expect((await call('DELETE', path)).status).toBe(204)
})

test('no ETag comes back when the same campaign is deleted and created again', async () => {
  const { call, path, report } = await openCampaign()
  const resources = [path, `${path}/progress`, `${path}/experiments`, `${path}/experiments/0001`, '/v1/campaigns']
  const seen = new Set<string>()
  for (let life = 0; life < 3; life += 1) {
    const tags = await Promise.all(resources.map(async (resource) => etagOf(await call('GET', resource))))
    expect(tags.filter((tag) => seen.has(tag))).toEqual([])
    for (const tag of tags) seen.add(tag)

    await report('0001', { status: 'completed' })
    seen.add(etagOf(await call('GET', path)))
    expect((await call('DELETE', path)).status).toBe(204)
    const created = await call('POST', '/v1/campaigns', { body: campaignDraft(3) })
    expect(created.status).toBe(201)
    expect(created.json()).toMatchObject({ revision: 1 })
  }
})

test('of deletions that arrive together one deletes, and reports beside them are made or not found', async () => {
  const { call, path, report } = await openCampaign(20)
  const [reports, deletions] = await Promise.all([
    Promise.all(Array.from({ length: 10 }, () => report('0001', { status: 'completed' }))),
    Promise.all(Array.from({ length: 5 }, () => call('DELETE', path))),
  ])
  expect(deletions.map(({ status }) => status).sort()).toEqual([204, 404, 404, 404, 404])
  for (const { status } of reports) expect([200, 404]).toContain(status)
  expectProblem(await call('GET', path), 404, 'campaign-not-found')
})
