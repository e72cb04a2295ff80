import { expect, test } from 'vitest'
import { etagOf } from '../../../support/campaigns/campaign.js'
import { campaignDraft } from '../../../support/campaigns/drafts.js'
import { verdict } from '../../../support/http/problems.js'
import { openApp, type TestApp } from '../../../support/service/app.js'
import { layManifest } from '../../../support/store/files.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

interface Page {
  readonly campaigns: readonly { readonly campaign_id: string; readonly state: string }[]
  readonly next_page_token: string | null
}

/** Five campaigns, each created an hour after the one before; `b` was changed last. */
async function openFive(): Promise<TestApp> {
  const app = await openApp()
  const names = { a: 'Zebra', b: 'yak', c: 'Xerus', d: 'wolf', e: 'Vole zebra' }
  let hour = 1
  for (const [campaign_id, campaign_name] of Object.entries(names)) {
    app.setTime(`2026-03-01T0${hour}:00:00.000Z`)
    hour += 1
    const labels = { team: hour % 2 === 0 ? 'inference' : 'training', note: 'a:b' }
    await app.call('POST', '/v1/campaigns', { body: campaignDraft(2, { campaign_id, campaign_name, labels }) })
  }
  app.setTime('2026-03-01T09:00:00.000Z')
  await app.call('PATCH', '/v1/campaigns/b/experiments/0001', { body: { status: 'running' } })
  return app
}

async function list({ call }: TestApp, query = ''): Promise<Page> {
  return (await call('GET', `/v1/campaigns?${query}`)).json<Page>()
}

async function ids(app: TestApp, query = ''): Promise<string[]> {
  return (await list(app, query)).campaigns.map(({ campaign_id }) => campaign_id)
}

async function allPages(app: TestApp, query: string): Promise<string[][]> {
  const pages: string[][] = []
  let token: string | null = ''
  while (token !== null) {
    const page: Page = await list(app, `${query}${token === '' ? '' : `&page_token=${token}`}`)
    pages.push(page.campaigns.map(({ campaign_id }) => campaign_id))
    token = page.next_page_token
  }
  return pages
}

test('each campaign is listed with its header and its progress, without its experiments', async () => {
  const app = await openFive()
  const { experiments: _experiments, ...header } = (await app.call('GET', '/v1/campaigns/b')).json<{
    experiments: unknown
  }>()
  const progress = (await app.call('GET', '/v1/campaigns/b/progress')).json()
  const { campaigns, next_page_token } = await list(app)
  expect(campaigns[0]).toEqual({ ...header, state: 'running', progress })
  expect(next_page_token).toBeNull()
})

test.each([
  ['', ['b', 'e', 'd', 'c', 'a']],
  ['sort=-updated_at', ['b', 'e', 'd', 'c', 'a']],
  ['sort=created_at', ['a', 'b', 'c', 'd', 'e']],
  ['sort=campaign_name', ['e', 'c', 'a', 'd', 'b']],
])('the pages of the list ?%s hold every campaign once, in the order %j', async (sort, order) => {
  const app = await openFive()
  expect(await allPages(app, `${sort}&limit=2`)).toEqual([order.slice(0, 2), order.slice(2, 4), order.slice(4)])
  expect(await allPages(app, `${sort}&limit=5`)).toEqual([order])
})

test('campaigns of the same time are paged through without a gap or a repetition', async () => {
  const app = await openApp()
  const all = Array.from({ length: 7 }, (_, index) => `c${index}`)
  for (const campaign_id of all) await app.call('POST', '/v1/campaigns', { body: campaignDraft(1, { campaign_id }) })
  for (const sort of ['-updated_at', 'created_at', 'campaign_name']) {
    expect((await allPages(app, `sort=${sort}&limit=3`)).flat()).toEqual(all)
  }
})

test('names of any characters are paged through', async () => {
  const app = await openApp()
  const names = ['a', 'b', 'c'].map((end) => `${'\u0001'.repeat(511)}${end}`)
  for (const campaign_name of names)
    await app.call('POST', '/v1/campaigns', {
      body: campaignDraft(1, { campaign_id: campaign_name.slice(-1), campaign_name }),
    })
  expect(await allPages(app, 'sort=campaign_name&limit=1')).toEqual([['a'], ['b'], ['c']])
})

test('what is deleted or created between two pages shifts nothing', async () => {
  const app = await openFive()
  const first = await list(app, 'sort=created_at&limit=2')
  await app.call('DELETE', '/v1/campaigns/b?force=true')
  await app.call('POST', '/v1/campaigns', {
    body: { ...campaignDraft(1), campaign_id: 'older', created_at: '2025-01-01T00:00:00Z' },
  })
  expect(await ids(app, `sort=created_at&limit=2&page_token=${first.next_page_token ?? ''}`)).toEqual(['c', 'd'])
})

test.each([
  ['name=zebra', ['a', 'e']],
  ['name=YAK', ['b']],
  ['name=lion', []],
  ['name=y.k', []],
  ['label=team:inference', ['a', 'c', 'e']],
  ['label=team:inference&label=note:a:b', ['a', 'c', 'e']],
  ['label=team:inference&label=note:other', []],
  ['label=team:infer', []],
  ['label=nothing:', []],
  ['label=team:training&name=wolf', ['d']],
  ['label=team:training&state=running', ['b']],
])('the list ?%s has the campaigns %j: all that is asked for holds for each', async (query, found) => {
  expect(await ids(await openFive(), `${query}&sort=created_at`)).toEqual(found)
})

test('the state of a campaign is the first that holds, and campaigns are found by it', async () => {
  const dataDir = temporaryDirectory()
  layManifest(dataDir, 'corrupt', '{')
  const app = await openApp({ dataDir })
  const states = {
    pending: [[], {}],
    running: [['running', 'failed'], {}],
    idle: [['completed', 'pending'], {}],
    failed: [['failed', 'completed'], {}],
    completed: [['completed', 'skipped'], { paused: true }],
    paused: [['running', 'failed'], { paused: true }],
    'failed-but-retried': [['failed', 'completed'], { max_retries: 1 }],
  } as const
  for (const [campaign_id, [reports, settings]] of Object.entries(states)) {
    await app.call('POST', '/v1/campaigns', { body: campaignDraft(2, { campaign_id, settings }) })
    const updates = reports.map((status, index) => ({ exp_id: `000${index + 1}`, status }))
    if (updates.length > 0) await app.call('PATCH', `/v1/campaigns/${campaign_id}/experiments`, { body: { updates } })
  }
  const { campaigns } = await list(app)
  expect(Object.fromEntries(campaigns.map(({ campaign_id, state }) => [campaign_id, state]))).toEqual({
    pending: 'pending',
    running: 'running',
    idle: 'idle',
    failed: 'failed',
    completed: 'completed',
    paused: 'paused',
    'failed-but-retried': 'idle',
    corrupt: 'corrupt',
  })
  for (const state of ['pending', 'running', 'failed', 'completed', 'paused', 'corrupt']) {
    expect(await ids(app, `state=${state}`)).toEqual([state])
  }
  expect(await ids(app, 'name=CORR')).toEqual(['corrupt'])
  expect(await ids(app, 'state=idle&sort=campaign_name')).toEqual(['failed-but-retried', 'idle'])
})

test('a page token is refused by another list', async () => {
  const app = await openFive()
  const { next_page_token } = await list(app, 'limit=1')
  const reply = await app.call('GET', `/v1/campaigns/a/experiments?page_token=${next_page_token ?? ''}`)
  expect(verdict(reply)).toBe('400 invalid query /page_token')
})

test('the ETag of a list changes with any campaign in it', async () => {
  const app = await openFive()
  const before = etagOf(await app.call('GET', '/v1/campaigns'))
  expect(etagOf(await app.call('GET', '/v1/campaigns'))).toBe(before)
  await app.call('PATCH', '/v1/campaigns/a/experiments/0001', { body: { status: 'running' } })
  expect(etagOf(await app.call('GET', '/v1/campaigns'))).not.toBe(before)
})

test('without campaigns the list is empty', async () => {
  expect(await list(await openApp())).toEqual({ campaigns: [], next_page_token: null })
})
