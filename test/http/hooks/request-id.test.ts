import { expect, test } from 'vitest'
import { type AppReply, openApp } from '../../support/service/app.js'

function idOf({ headers }: AppReply): string {
  return headers['x-request-id'] ?? ''
}

test('every response names its request by an id of its own', async () => {
  const { call } = await openApp()
  const replies = [
    await call('GET', '/healthz'),
    await call('GET', '/v1/campaigns'),
    await call('GET', '/v1/campaigns/nothing'),
    await call('GET', '/v1/campaigns/%zz'),
    await call('GET', `/v1/campaigns/${'a'.repeat(300)}`),
    await call('GET', '/nothing'),
    await call('POST', '/v1/campaigns', { rawBody: '{' }),
    await call('POST', '/v1/campaigns', { rawBody: 'x', headers: { 'content-type': 'text/plain' } }),
    await call('GET', '/openapi.json'),
  ]
  for (const reply of replies) expect(idOf(reply)).toMatch(/^[0-9a-f]{8}-[0-9a-z]+$/)
  expect(new Set(replies.map(idOf)).size).toBe(replies.length)
})

test.each(['trace-4711', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'a', 'x'.repeat(128)])(
  'the request id %s of a client is kept, also in a refusal',
  async (given) => {
    const { call } = await openApp()
    for (const path of ['/healthz', '/nothing', '/v1/campaigns/%zz']) {
      expect(idOf(await call('GET', path, { headers: { 'x-request-id': given } }))).toBe(given)
    }
  },
)

test.each(['', 'a b', 'a"b', '{"level":60}', 'ä', 'x'.repeat(129)])(
  'the request id %j, which is not safe to log, is replaced',
  async (given) => {
    const { call } = await openApp()
    const id = idOf(await call('GET', '/healthz', { headers: { 'x-request-id': given } }))
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-z]+$/)
  },
)
