import { expect, test } from 'vitest'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import { expectProblem } from '../../support/http/problems.js'
import type { TestAppOptions } from '../../support/service/app.js'
import { openApp } from '../../support/service/app.js'
import { testTokens } from '../../support/service/tokens.js'
import { bytesOf } from '../../support/store/files.js'

const LISTED = 'https://dashboard.example'
const OWN = 'http://localhost:8080'

async function open(options?: TestAppOptions) {
  const app = await openApp(options)
  await app.call('POST', '/v1/campaigns', { body: campaignDraft(2) })
  return app
}

const FOREIGN = [
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'nonsense' },
  { origin: 'https://evil.example' },
  { origin: 'http://localhost:3000' },
  { origin: 'http://localhost' },
  { origin: 'null' },
  { origin: '' },
  { origin: `${OWN}.evil.example` },
  { origin: `${OWN} https://evil.example` },
  { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
  { origin: OWN, 'sec-fetch-site': 'cross-site' },
]

test.each(FOREIGN)(
  'a write that a browser makes for another page, %j, is refused and changes nothing',
  async (given) => {
    const { call, dataDir } = await open()
    const headers = { host: 'localhost:8080', ...given }
    const before = bytesOf(dataDir)
    const body = { status: 'running' }
    for (const reply of [
      await call('POST', '/v1/campaigns', { headers, body: campaignDraft(1, { campaign_id: 'forged' }) }),
      await call('PATCH', '/v1/campaigns/sweep/experiments/0001', { headers, body }),
      await call('POST', '/v1/campaigns/sweep/resume', { headers }),
      await call('POST', '/v1/campaigns/sweep/retry', { headers }),
      await call('DELETE', '/v1/campaigns/sweep?force=true', { headers }),
    ])
      expectProblem(reply, 403, 'cross-site-refused')
    expect(bytesOf(dataDir)).toEqual(before)
  },
)

test.each([
  {},
  { 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-site': 'none' },
  { origin: OWN },
  { origin: 'https://localhost:8080' },
  { origin: OWN, 'sec-fetch-site': 'same-origin' },
])('a write of our own page, or of no browser, %j, is made', async (given) => {
  const { call } = await open()
  const headers = { host: 'localhost:8080', ...given }
  expect((await call('POST', '/v1/campaigns/sweep/resume', { headers })).status).toBe(200)
})

test('reads are left to the rules of the browser, which without a list show them to no other page', async () => {
  const { call } = await open()
  for (const given of FOREIGN) {
    const reply = await call('GET', '/v1/campaigns', { headers: { host: 'localhost:8080', ...given } })
    expect(reply.status).toBe(200)
    for (const name of Object.keys(reply.headers)) expect(name).not.toMatch(/^access-control-/)
  }
})

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain;application/json',
  'application/jsonp',
  'application/problem+json',
])('what a form can send, %s, is refused, with a body and without', async (type) => {
  const { call, dataDir } = await open()
  const before = bytesOf(dataDir)
  for (const rawBody of ['{}', '']) {
    for (const path of ['/v1/campaigns', '/v1/campaigns/sweep/resume', '/v1/campaigns/sweep/retry']) {
      const reply = await call('POST', path, { rawBody, headers: { 'content-type': type } })
      expectProblem(reply, 415, 'unsupported-media-type')
    }
  }
  expect(bytesOf(dataDir)).toEqual(before)
})

test('a page that is listed may read and write, with a token', async () => {
  const known = testTokens()
  const app = await openApp({ access: { corsOrigins: [LISTED], tokens: () => known.tokens } })
  const headers = { origin: LISTED, 'sec-fetch-site': 'cross-site', ...known.as('admin') }
  const created = await app.call('POST', '/v1/campaigns', { headers, body: campaignDraft(1) })
  expect(created.status).toBe(201)
  expect(created.headers).toMatchObject({ 'access-control-allow-origin': LISTED })
  expect(created.headers['vary']).toContain('Origin')
  const exposed = (created.headers['access-control-expose-headers'] ?? '').split(', ')
  expect(exposed).toEqual(expect.arrayContaining(['ETag', 'Location', 'Retry-After']))
  expect(created.headers).not.toHaveProperty('access-control-allow-credentials')
  const refused = await app.call('GET', '/v1/campaigns/sweep', { headers: { origin: LISTED } })
  expectProblem(refused, 401, 'unauthorized')
  expect(refused.headers['access-control-allow-origin']).toBe(LISTED)
})

test('a CORS preflight needs no token', async () => {
  const known = testTokens()
  const { call } = await openApp({ access: { corsOrigins: [LISTED], tokens: () => known.tokens } })
  const asked = { 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization' }
  const reply = await call('OPTIONS', '/v1/campaigns/sweep', { headers: { origin: LISTED, ...asked } })
  expect(reply.status).toBe(204)
  expect(reply.headers['access-control-allow-methods']).toContain('PATCH')
  expect(reply.headers['access-control-allow-headers']).toMatch(/Authorization.*Content-Type.*If-Match/)
  const other = await call('OPTIONS', '/v1/campaigns/sweep', { headers: { origin: 'https://evil.example', ...asked } })
  expect(other.headers).not.toHaveProperty('access-control-allow-origin')
})

test('a page that is not listed is refused beside one that is', async () => {
  const { call } = await open({ access: { corsOrigins: [LISTED] } })
  for (const origin of [
    'https://evil.example',
    `${LISTED}:8443`,
    'http://dashboard.example',
    `${LISTED}.evil.example`,
  ]) {
    const headers = { origin, 'sec-fetch-site': 'cross-site' }
    expectProblem(await call('POST', '/v1/campaigns/sweep/resume', { headers }), 403, 'cross-site-refused')
    expect((await call('GET', '/v1/campaigns', { headers })).headers).not.toHaveProperty('access-control-allow-origin')
  }
})
