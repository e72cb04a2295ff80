import { expect, test } from 'vitest'
import { etagOf, openCampaign, type TestCampaign } from '../../support/campaigns/campaign.js'

const RESOURCES = [
  '/v1/campaigns',
  '/v1/campaigns?limit=1',
  '/v1/campaigns/sweep',
  '/v1/campaigns/sweep?format=llenergymeasure',
  '/v1/campaigns/sweep/progress',
  '/v1/campaigns/sweep/progress?until=end',
  '/v1/campaigns/sweep/experiments',
  '/v1/campaigns/sweep/experiments?status=pending',
  '/v1/campaigns/sweep/experiments?format=csv',
  '/v1/campaigns/sweep/experiments/0001',
]

async function statusOf({ call }: TestCampaign, path: string, tag: string): Promise<number> {
  return (await call('GET', path, { headers: { 'if-none-match': tag } })).status
}

test.each(RESOURCES)('GET %s responds with 304 to a client that has its ETag, until it changes', async (path) => {
  const { call, report } = await openCampaign()
  const first = await call('GET', path)
  const tag = etagOf(first)
  const known = await call('GET', path, { headers: { 'if-none-match': tag } })
  expect([known.status, known.text, known.headers['etag']]).toEqual([304, '', tag])

  await report('0001', { status: 'running' })
  const changed = await call('GET', path, { headers: { 'if-none-match': tag } })
  expect(changed.status).toBe(200)
  expect(etagOf(changed)).not.toBe(tag)
  expect(changed.text).not.toBe(first.text)
})

test('the ETag of an experiment stays the same while others of its campaign change', async () => {
  const campaign = await openCampaign()
  const path = `${campaign.path}/experiments/0001`
  const tag = etagOf(await campaign.call('GET', path))
  await campaign.report('0002', { status: 'running' })
  await campaign.call('PATCH', campaign.path, { body: { campaign_name: 'renamed' } })
  expect(await statusOf(campaign, path, tag)).toBe(304)
})

test('If-None-Match may be a list, a star or a weak tag', async () => {
  const campaign = await openCampaign()
  for (const path of RESOURCES) {
    const tag = etagOf(await campaign.call('GET', path))
    expect(await statusOf(campaign, path, `"other", ${tag}`)).toBe(304)
    expect(await statusOf(campaign, path, '*')).toBe(304)
    expect(await statusOf(campaign, path, `W/${tag}`)).toBe(304)
    expect(await statusOf(campaign, path, '"other"')).toBe(200)
    expect(await statusOf(campaign, path, tag.slice(1, -1))).toBe(200)
  }
})

test('the ETags of the progress and the experiments of a campaign follow its revision', async () => {
  const campaign = await openCampaign()
  const tag = etagOf(await campaign.call('GET', campaign.path))
  expect(etagOf(await campaign.call('GET', `${campaign.path}/progress`))).toBe(tag)
  expect(etagOf(await campaign.call('GET', `${campaign.path}/experiments`))).toBe(tag)
})

test('HEAD has the response of GET, without the body', async () => {
  const { call } = await openCampaign()
  for (const path of RESOURCES) {
    const get = await call('GET', path)
    const head = await call('HEAD', path)
    expect([head.status, head.text, etagOf(head)]).toEqual([200, '', etagOf(get)])
    const known = await call('HEAD', path, { headers: { 'if-none-match': etagOf(get) } })
    expect(known.status).toBe(304)
  }
})
