import { expect, test } from 'vitest'
import { campaignDraft } from '../../../support/campaigns/drafts.js'
import { expectProblem } from '../../../support/http/problems.js'
import { type AppReply, openApp, type TestApp } from '../../../support/service/app.js'

function create({ call }: TestApp, given: object, key?: string): Promise<AppReply> {
  const body = { ...campaignDraft(2), campaign_id: undefined, ...given }
  return call('POST', '/v1/campaigns', { body, headers: key === undefined ? {} : { 'idempotency-key': key } })
}

function idOf(reply: AppReply): string {
  return reply.json<{ campaign_id: string }>().campaign_id
}

async function countOf({ call }: TestApp): Promise<number> {
  return (await call('GET', '/v1/campaigns')).json<{ campaigns: unknown[] }>().campaigns.length
}

test('without an id and a key every creation makes another campaign, named after its name', async () => {
  const app = await openApp()
  const ids = []
  for (let time = 0; time < 3; time += 1) {
    const created = await create(app, {})
    expect(created.status).toBe(201)
    expect(created.headers['location']).toBe(`/v1/campaigns/${idOf(created)}`)
    expect(idOf(created)).toMatch(/^precision-sweep-[0-9a-f]{8}$/)
    ids.push(idOf(created))
  }
  expect(new Set(ids).size).toBe(3)
})

test('a creation repeated with its key finds its own campaign as it stands', async () => {
  const app = await openApp()
  const created = await create(app, {}, 'key-1')
  expect(created.status).toBe(201)
  await app.call('PATCH', `/v1/campaigns/${idOf(created)}/experiments/0001`, { body: { status: 'running' } })
  const again = await create(app, {}, 'key-1')
  expect(again.status).toBe(200)
  expect(again.headers['location']).toBeUndefined()
  expect(again.json()).toMatchObject({ campaign_id: idOf(created), revision: 2 })
  expect(await countOf(app)).toBe(1)
})

test('another key makes another campaign of the same definition', async () => {
  const app = await openApp()
  const ids = [idOf(await create(app, {}, 'key-1')), idOf(await create(app, {}, 'key-2'))]
  expect(new Set(ids).size).toBe(2)
  expect(await countOf(app)).toBe(2)
})

test('the same key with another definition is refused', async () => {
  const app = await openApp()
  await create(app, {}, 'key-1')
  expectProblem(await create(app, { config_hash: 'other' }, 'key-1'), 409, 'campaign-exists')
  expect(await countOf(app)).toBe(1)
})

test('creations with the same key that arrive together make one campaign', async () => {
  const app = await openApp()
  const replies = await Promise.all(Array.from({ length: 8 }, () => create(app, {}, 'key-1')))
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201])
  expect(new Set(replies.map(idOf)).size).toBe(1)
  expect(await countOf(app)).toBe(1)
})

test('an id that is given is taken, whatever the key', async () => {
  const app = await openApp()
  const replies = [await create(app, { campaign_id: 'mine' }, 'a'), await create(app, { campaign_id: 'mine' }, 'b')]
  expect(replies.map((reply) => [reply.status, idOf(reply)])).toEqual([
    [201, 'mine'],
    [200, 'mine'],
  ])
})

test('keys whose hashes begin alike make campaigns of their own, and find them again', async () => {
  const app = await openApp()
  // The first 32 bits of their sha256 are the same.
  const keys = ['key-8337', 'key-15029']
  const ids: string[] = []
  for (const key of keys) {
    const created = await create(app, {}, key)
    expect(created.status).toBe(201)
    ids.push(idOf(created))
  }
  expect(new Set(ids).size).toBe(2)
  for (const [index, key] of keys.entries()) {
    const again = await create(app, {}, key)
    expect([again.status, idOf(again)]).toEqual([200, ids[index]])
    expectProblem(await create(app, { config_hash: 'other' }, key), 409, 'campaign-exists')
  }
})
