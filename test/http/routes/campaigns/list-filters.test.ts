import { describe, expect, test } from 'vitest'
import { campaignDraft } from '../../../support/campaigns/drafts.js'
import { verdict } from '../../../support/http/problems.js'
import { openApp, type TestApp } from '../../../support/service/app.js'
import { layManifest } from '../../../support/store/files.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

interface Page {
  readonly campaigns: readonly { readonly campaign_id: string }[]
  readonly next_page_token: string | null
}

const LIST = '/v1/campaigns'

async function page({ call }: TestApp, query: string): Promise<Page> {
  const reply = await call('GET', `${LIST}?${query}`)
  expect(reply.status, reply.text).toBe(200)
  return reply.json<Page>()
}

/** The ids on all pages from that of the token on, one letter each. */
async function ids(app: TestApp, query: string, from: string | null = ''): Promise<string> {
  let found = ''
  for (let token = from; token !== null;) {
    const { campaigns, next_page_token }: Page = await page(
      app,
      `${query}${token === '' ? '' : `&page_token=${token}`}`,
    )
    found += campaigns.map(({ campaign_id }) => campaign_id[0]).join('')
    token = next_page_token
  }
  return found
}

const CAMPAIGNS = {
  a: { name: 'one', priority: 5, archived: false, failed: true },
  b: { name: 'two', priority: -1000, archived: true, failed: true },
  c: { name: 'one', priority: 0, archived: false, failed: false },
  d: { name: 'Two', priority: 1000, archived: true, failed: false },
  e: { name: 'three', priority: -20, archived: false, failed: false },
  f: { name: 'four', priority: 5, archived: false, failed: true },
}

/** Created and changed each an hour after the one before, from 01:00 on. */
async function openSix(options?: Parameters<typeof openApp>[0]): Promise<TestApp> {
  const app = await openApp(options)
  let hour = 1
  for (const [campaign_id, { name, priority, archived, failed }] of Object.entries(CAMPAIGNS)) {
    app.setTime(`2026-03-01T0${hour}:00:00.000Z`)
    hour += 1
    const given = { campaign_id, campaign_name: name, settings: { priority }, archived }
    await app.call('POST', LIST, { body: campaignDraft(2, given) })
    if (failed) await app.call('PATCH', `${LIST}/${campaign_id}/experiments/0001`, { body: { status: 'failed' } })
  }
  return app
}

/** With a corrupt campaign `x`, whose times are those of its file: long after the others. */
async function openWithCorrupt(): Promise<TestApp> {
  const dataDir = temporaryDirectory()
  layManifest(dataDir, 'x', '{')
  return openSix({ dataDir })
}

describe('archived campaigns', () => {
  test.each([
    ['', 'acef'],
    ['archived=false', 'acef'],
    ['archived=true', 'bd'],
    ['archived=any', 'abcdef'],
  ])('the list ?%s has %s', async (query, found) => {
    expect(await ids(await openSix(), `${query}&sort=created_at`)).toBe(found)
  })

  test('are left out from the moment on in which they are archived, until they are put back', async () => {
    const app = await openSix()
    await app.call('PATCH', `${LIST}/a`, { body: { archived: true } })
    expect(await ids(app, 'sort=created_at')).toBe('cef')
    await app.call('PATCH', `${LIST}/b`, { body: { archived: false } })
    expect(await ids(app, 'sort=created_at')).toBe('bcef')
  })
})

describe('failures', () => {
  test('campaigns are found by whether an experiment of theirs is failed now', async () => {
    const app = await openSix()
    expect(await ids(app, 'has_failures=true&sort=created_at')).toBe('af')
    expect(await ids(app, 'has_failures=false&sort=created_at')).toBe('ce')
    await app.call('POST', `${LIST}/a/retry`, { body: {} })
    expect(await ids(app, 'has_failures=true')).toBe('f')
    await app.call('PATCH', `${LIST}/c/experiments/0001`, { body: { status: 'running' } })
    expect(await ids(app, 'has_failures=true')).toBe('f')
  })
})

describe('times', () => {
  test.each([
    ['created_after=2026-03-01T03:00:00Z', 'cdef'],
    ['created_after=2026-03-01T03:00:00.000000001Z', 'def'],
    ['created_before=2026-03-01T03:00:00.000Z', 'ab'],
    ['created_before=2026-03-01T03:00:00.000000001Z', 'abc'],
    ['created_after=2026-03-01T02:00Z&created_before=2026-03-01T04:00Z', 'bc'],
    ['created_after=2026-03-01T04:00Z&created_before=2026-03-01T02:00Z', ''],
    ['created_after=2026-03-01T04:00Z&created_before=2026-03-01T04:00Z', ''],
    ['created_after=2026-03-01 03:00:00', 'cdef'],
    ['created_after=2026-03-01 04:00:00&timezone=Europe/Berlin', 'cdef'],
    ['created_after=2026-03-01T03:00:00Z&timezone=Europe/Berlin', 'cdef'],
    [`created_after=${encodeURIComponent('2026-03-01T05:00:00+02:00')}`, 'cdef'],
    ['created_after=2026-02-28T22:00:00-05:00', 'cdef'],
    ['updated_after=2026-03-01T06:00:00Z', 'f'],
    ['updated_before=2026-03-01T02:00:00Z', 'a'],
    ['updated_after=2026-03-01T02:00:00Z&created_before=2026-03-01T04:00:00Z', 'bc'],
  ])('the list ?%s has %s', async (query, found) => {
    expect(await ids(await openSix(), `${query}&archived=any&sort=created_at`)).toBe(found)
  })

  test('a change moves a campaign in the times of change, not in those of creation', async () => {
    const app = await openSix()
    app.setTime('2026-03-02T00:00:00.000Z')
    await app.call('PATCH', `${LIST}/a`, { body: { campaign_name: 'renamed' } })
    expect(await ids(app, 'updated_after=2026-03-02T00:00:00Z')).toBe('a')
    expect(await ids(app, 'created_after=2026-03-02T00:00:00Z')).toBe('')
  })

  test('the same instant is the same, however many digits a campaign was created with', async () => {
    const app = await openApp()
    for (const [campaign_id, created_at] of [
      ['b', '2026-02-01T08:00:00Z'],
      ['a', '2026-02-01T08:00:00.000Z'],
      ['c', '2026-02-01T08:00:00.0Z'],
    ]) {
      const body = { ...campaignDraft(1), campaign_id, created_at }
      expect((await app.call('POST', LIST, { body })).status).toBe(201)
    }
    expect(await ids(app, 'created_after=2026-02-01T08:00:00.000000Z')).toHaveLength(3)
    expect(await ids(app, 'created_before=2026-02-01T08:00:00Z')).toBe('')
    for (const sort of ['created_at', '-created_at']) {
      expect(await ids(app, `sort=${sort}`)).toBe('abc')
      expect(await ids(app, `sort=${sort}&limit=1`)).toBe('abc')
    }
  })
})

describe('the order', () => {
  const ORDERS = [
    ['-updated_at', 'fedcba'],
    ['updated_at', 'abcdef'],
    ['-created_at', 'fedcba'],
    ['created_at', 'abcdef'],
    ['campaign_name', 'dfaceb'],
    ['-campaign_name', 'beacfd'],
    ['priority', 'becafd'],
    ['-priority', 'dafceb'],
  ] as const

  test.each(ORDERS)('by %s is %s, equal ones by id, in pages too', async (sort, order) => {
    const app = await openSix()
    const query = `archived=any&sort=${encodeURIComponent(sort)}`
    for (const limit of [1, 2, 4, 6, 1000]) expect(await ids(app, `${query}&limit=${limit}`)).toBe(order)
  })

  test('is -updated_at where none is asked for', async () => {
    const app = await openSix()
    expect(await ids(app, 'archived=any&limit=2')).toBe('fedcba')
    const { next_page_token } = await page(app, 'archived=any&limit=2')
    expect(await ids(app, 'archived=any&sort=-updated_at&limit=2', next_page_token)).toBe('dcba')
  })

  test('goes on behind its page, whatever was deleted or created meanwhile', async () => {
    const app = await openSix()
    const { campaigns, next_page_token } = await page(app, 'archived=any&sort=-priority&limit=2')
    expect(campaigns.map(({ campaign_id }) => campaign_id)).toEqual(['d', 'a'])
    await app.call('DELETE', `${LIST}/a`)
    for (const [campaign_id, priority] of [
      ['9', 5],
      ['g', 5],
      ['h', 6],
      ['i', 1],
    ] as const) {
      await app.call('POST', LIST, { body: campaignDraft(1, { campaign_id, settings: { priority } }) })
    }
    const rest = await ids(app, 'archived=any&sort=-priority&limit=2', next_page_token)
    expect(rest).toBe('fgiceb')
  })

  test('of another page is refused, and so is what is no page', async () => {
    const app = await openSix()
    const { next_page_token } = await page(app, 'sort=created_at&limit=1')
    const old = Buffer.from(JSON.stringify({ key: 'one', campaign_id: 'a' })).toString('base64url')
    for (const query of [
      `sort=-created_at&page_token=${next_page_token ?? ''}`,
      `sort=priority&page_token=${next_page_token ?? ''}`,
      `page_token=${next_page_token ?? ''}`,
      `page_token=${old}`,
      'page_token=MQ',
    ]) {
      expect(verdict(await app.call('GET', `${LIST}?${query}`)), query).toBe('400 invalid query /page_token')
    }
  })
})

describe('all together', () => {
  test.each([
    ['has_failures=true&archived=true', 'b'],
    ['has_failures=true&archived=any&sort=-priority', 'afb'],
    ['has_failures=false&archived=any&sort=priority', 'ecd'],
    ['has_failures=true&archived=any&created_after=2026-03-01T02:00:00Z', 'fb'],
    ['archived=any&name=TWO&sort=created_at', 'bd'],
    ['archived=any&name=two&has_failures=true', 'b'],
    ['state=pending&archived=true', 'd'],
    ['archived=any&updated_before=2026-03-01T05:00:00Z&sort=-campaign_name', 'bacd'],
  ])('all that ?%s asks for holds, in pages too', async (query, found) => {
    const app = await openSix()
    for (const limit of [1, 2, 100]) expect(await ids(app, `${query}&limit=${limit}`)).toBe(found)
  })
})

describe('a corrupt campaign', () => {
  test.each([
    ['sort=created_at&created_after=2026-03-01T01:00Z&created_before=2026-03-01T07:00Z', 'acef'],
    ['archived=true', 'db'],
    ['has_failures=true', 'fa'],
  ])('is left out of ?%s', async (query, found) => {
    expect(await ids(await openWithCorrupt(), query)).toBe(found)
  })

  test('is not archived, has no failures and the priority 0', async () => {
    const app = await openWithCorrupt()
    expect(await ids(app, 'archived=false')).toContain('x')
    expect(await ids(app, 'archived=any')).toContain('x')
    expect(await ids(app, 'has_failures=false')).toContain('x')
    for (const limit of [1, 100]) {
      expect(await ids(app, `archived=any&sort=priority&limit=${limit}`)).toBe('becxafd')
      expect(await ids(app, `archived=any&sort=-priority&limit=${limit}`)).toBe('dafcxeb')
    }
  })
})

test.each([
  ['archived=', 'archived'],
  ['archived=yes', 'archived'],
  ['archived=all', 'archived'],
  ['archived=true&archived=any', 'archived'],
  ['has_failures=yes', 'has_failures'],
  ['has_failures=', 'has_failures'],
  ['created_after=yesterday', 'created_after'],
  ['created_before=2026-03-01', 'created_before'],
  ['updated_after=2026-02-30T00:00:00Z', 'updated_after'],
  ['updated_before=0000-01-01T00:00:00Z', 'updated_before'],
  ['created_after=2026-03-01T05:00:00+02:00', 'created_after'],
  ['created_after=2026-03-01T03:00&timezone=Mars/Olympus', 'timezone'],
  ['timezone=Mars/Olympus', 'timezone'],
  ['sort=-priority,name', 'sort'],
  ['sort=%2Bpriority', 'sort'],
  ['sort=name', 'sort'],
  ['sort=--priority', 'sort'],
])('the list ?%s is refused at its place', async (query, name) => {
  const app = await openApp()
  expect(verdict(await app.call('GET', `${LIST}?${query}`))).toBe(`400 invalid query /${name}`)
})
