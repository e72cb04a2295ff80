import { fastify } from 'fastify'
import { expect, test } from 'vitest'
import { covers, type Role, ROLES } from '#campaignd/auth/role.js'
import { authorization } from '#campaignd/http/guards/authorization.js'
import type { Problem } from '#campaignd/http/problems/problem.js'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { openApiDocument } from '../../support/http/open-api-document.js'
import { expectProblem } from '../../support/http/problems.js'
import { type AppReply, type Method, openApp, sharedApp, type TestApp } from '../../support/service/app.js'
import { testTokens } from '../../support/service/tokens.js'
import { bytesOf } from '../../support/store/files.js'

interface Call {
  readonly method: Method
  readonly path: string
  readonly role: Role
  readonly body?: object
}

const SWEEP = '/v1/campaigns/sweep'
const FIRST = `${SWEEP}/experiments/0001`
const known = testTokens()

/** Every operation of the API, with what it needs. They are made in this order: the last one deletes the campaign. */
const CALLS: Readonly<Record<string, Call>> = {
  createCampaign: { method: 'POST', path: '/v1/campaigns', role: 'admin', body: campaignDraft(2) },
  saveCampaign: {
    method: 'PUT',
    path: '/v1/campaigns/saved',
    role: 'admin',
    body: campaignDraft(2, { campaign_id: 'saved' }),
  },
  listCampaigns: { method: 'GET', path: '/v1/campaigns', role: 'read' },
  getCampaign: { method: 'GET', path: SWEEP, role: 'read' },
  patchCampaign: { method: 'PATCH', path: SWEEP, role: 'admin', body: { campaign_name: 'another' } },
  getProgress: { method: 'GET', path: `${SWEEP}/progress`, role: 'read' },
  listExperiments: { method: 'GET', path: `${SWEEP}/experiments`, role: 'read' },
  appendExperiments: {
    method: 'POST',
    path: `${SWEEP}/experiments`,
    role: 'admin',
    body: { experiments: [experimentDraft('0009')] },
  },
  claimExperiments: { method: 'POST', path: `${SWEEP}/claims`, role: 'work', body: { worker: 'w1' } },
  sendHeartbeat: { method: 'POST', path: `${FIRST}/heartbeat`, role: 'work', body: { attempt: 1, worker: 'w1' } },
  listWorkers: { method: 'GET', path: `${SWEEP}/workers`, role: 'read' },
  getExperiment: { method: 'GET', path: FIRST, role: 'read' },
  reportExperiment: {
    method: 'PATCH',
    path: FIRST,
    role: 'work',
    body: { status: 'failed', worker: 'w1', error: 'x' },
  },
  reportExperiments: {
    method: 'PATCH',
    path: `${SWEEP}/experiments`,
    role: 'work',
    body: { updates: [{ exp_id: '0002', status: 'skipped' }] },
  },
  retryExperiments: { method: 'POST', path: `${SWEEP}/retry`, role: 'work' },
  resumeCampaign: { method: 'POST', path: `${SWEEP}/resume`, role: 'work' },
  patchWorker: { method: 'PATCH', path: `${SWEEP}/workers/w1`, role: 'admin', body: { benched: false } },
  deleteCampaign: { method: 'DELETE', path: SWEEP, role: 'admin' },
}

/** What the document says that each operation needs. */
function documentedRoles(): Record<string, Role | 'none'> {
  const operations = Object.values(openApiDocument.paths).flatMap((path) => Object.values(path)) as unknown as {
    operationId: string
    security?: { token: [Role] }[]
  }[]
  return Object.fromEntries(
    operations.map(({ operationId, security }) => [operationId, security?.[0]?.token[0] ?? ('none' as const)]),
  )
}

const guarded = sharedApp({ access: { tokens: () => known.tokens } })

function make({ call }: TestApp, { method, path, body }: Call, headers: Readonly<Record<string, string>>) {
  return call(method, path, { headers, ...(body === undefined ? {} : { body }) })
}

test('what each operation needs is documented; only health and the pages of problems need nothing', () => {
  const { isUp, isReady, explainProblem, ...api } = documentedRoles()
  expect([isUp, isReady, explainProblem]).toEqual(['none', 'none', 'none'])
  expect(api).toEqual({
    ...Object.fromEntries(Object.entries(CALLS).map(([id, { role }]) => [id, role])),
    getMetrics: 'read',
    streamCampaign: 'read',
    streamCampaigns: 'read',
  })
})

test('each operation is done for its role and those above, and refused to the others, to whom it changes nothing', async () => {
  const app = await guarded()
  for (const [id, one] of Object.entries(CALLS)) {
    const before = bytesOf(app.dataDir)
    for (const role of ROLES.filter((held) => !covers(held, one.role))) {
      const reply = await make(app, one, known.as(role))
      const { detail } = expectProblem(reply, 403, 'forbidden')
      expect(detail, id).toContain(`role ${one.role}`)
      expect(reply.headers['www-authenticate']).toBe(
        `Bearer realm="campaignd", error="insufficient_scope", scope="${one.role}"`,
      )
    }
    expect(bytesOf(app.dataDir), id).toEqual(before)
    for (const role of ROLES.filter((held) => covers(held, one.role)).slice(0, one.method === 'GET' ? 3 : 1)) {
      const reply = await make(app, one, known.as(role))
      expect(reply.status, `${id} as ${role}: ${reply.text}`).toBeLessThan(300)
    }
  }
})

test.each([
  ['no token', {}, false],
  ['no scheme', { authorization: known.tokenOf('admin') }, true],
  ['another scheme', { authorization: `Basic ${known.tokenOf('admin')}` }, true],
  ['nothing behind the scheme', { authorization: 'Bearer ' }, true],
  ['two tokens', { authorization: `Bearer ${known.tokenOf('admin')} ${known.tokenOf('admin')}` }, true],
  ['a token that is cut', { authorization: `Bearer ${known.tokenOf('admin').slice(0, -1)}` }, true],
  ['a token that nobody made', { authorization: `Bearer cmpd_${'A'.repeat(43)}` }, true],
  ['the token in a cookie', { cookie: `token=${known.tokenOf('admin')}` }, false],
])('with %s every operation of the API is refused, before its body is looked at', async (_what, headers, isGiven) => {
  const app = await guarded()
  const before = bytesOf(app.dataDir)
  for (const one of Object.values(CALLS)) {
    const reply = await app.call(one.method, one.path, { headers, ...(one.method === 'GET' ? {} : { rawBody: '{' }) })
    expectUnauthorized(reply, isGiven)
  }
  expectUnauthorized(await app.call('HEAD', '/v1/campaigns', { headers }), isGiven)
  expectUnauthorized(
    await app.call('GET', `/v1/campaigns?access_token=${known.tokenOf('admin')}`, { headers }),
    isGiven,
  )
  expect(bytesOf(app.dataDir)).toEqual(before)
})

function expectUnauthorized(reply: AppReply, isGiven: boolean): void {
  expect(reply.status).toBe(401)
  if (reply.text !== '') expectProblem(reply, 401, 'unauthorized')
  expect(reply.headers['www-authenticate']).toBe(`Bearer realm="campaignd"${isGiven ? ', error="invalid_token"' : ''}`)
}

test('the scheme Bearer is accepted in upper and lower case', async () => {
  const { call } = await guarded()
  const authorization = `bearer  ${known.tokenOf('read')}`
  expect((await call('GET', '/v1/campaigns', { headers: { authorization } })).status).toBe(200)
})

test('health, documentation and the pages of problems need no token, and take a wrong one', async () => {
  const { call } = await guarded()
  for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs', '/docs/static/swagger-ui.css', '/problems'])
      expect((await call('GET', path, { headers })).status, path).toBe(200)
  }
})

test('without a tokens file every caller may do anything', async () => {
  const app = await openApp()
  for (const one of Object.values(CALLS)) expect((await make(app, one, {})).status).toBeLessThan(300)
})

test('a request is authenticated by the tokens of this moment, not by those of the start', async () => {
  let { tokens } = known
  const { call } = await openApp({ access: { tokens: () => tokens } })
  const status = async (headers: { readonly authorization: string }) =>
    (await call('GET', '/v1/campaigns', { headers })).status
  const other = testTokens()
  expect([await status(known.as('read')), await status(other.as('read'))]).toEqual([200, 401])
  tokens = other.tokens
  expect([await status(known.as('read')), await status(other.as('read'))]).toEqual([401, 200])
})

test('a route of the API without a role fails at start', () => {
  const app = fastify()
  authorization(app)
  expect(() => app.get('/v1/secrets', () => 'x')).toThrow('/v1/secrets names no role')
  expect(() => app.get('/v1/open', { config: { role: 'read' } }, () => 'x')).not.toThrow()
})

test('the log line of every write names its actor, and no line has a token', async () => {
  const lines: string[] = []
  const app = await openApp({ access: { tokens: () => known.tokens }, log: { write: (line) => lines.push(line) } })
  for (const one of Object.values(CALLS)) await make(app, one, known.as('admin'))
  await make(app, CALLS['createCampaign'] as Call, { authorization: 'Bearer cmpd_not-a-token-of-ours' })
  await make(app, CALLS['createCampaign'] as Call, known.as('work'))
  const writes = lines
    .map((line) => JSON.parse(line) as { msg: string; level: number; actor?: string; method?: string; status?: number })
    .filter(({ msg, method }) => msg === 'request completed' && method !== 'GET')
  const done = writes.filter(({ status = 0 }) => status < 300)
  expect(done).toHaveLength(Object.values(CALLS).filter(({ method }) => method !== 'GET').length)
  for (const line of done) expect(line.actor).toBe('a-admin')
  // Heartbeats come often and leave nothing behind: their lines are where those of reads are.
  expect(done.filter(({ level }) => level !== 30)).toMatchObject([
    { level: 20, url: expect.stringContaining('heartbeat') as unknown },
  ])
  const refused = writes.filter(({ status = 0 }) => status >= 400).map(({ actor, status }) => ({ actor, status }))
  expect(refused).toEqual([{ status: 401 }, { actor: 'a-work', status: 403 }])
  const secrets = [...ROLES.map(known.tokenOf), 'not-a-token-of-ours']
  expect(lines.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([])
})

test('streams and metrics need the role read, metrics only unless they are open', async () => {
  const { call } = await guarded()
  for (const path of ['/v1/events', `${SWEEP}/events`, '/metrics']) {
    expectProblem(await call('GET', path), 401, 'unauthorized')
  }
  expect((await call('GET', '/metrics', { headers: known.as('read') })).status).toBe(200)
  const open = await openApp({ access: { tokens: () => known.tokens, openMetrics: true } })
  expect((await open.call('GET', '/metrics')).status).toBe(200)
})

test('a refusal reveals nothing of the resource', async () => {
  const { call } = await guarded()
  await call('POST', '/v1/campaigns', { body: campaignDraft(1), headers: known.as('admin') })
  const [there, missing] = [await call('GET', SWEEP), await call('GET', '/v1/campaigns/nothing')]
  const bare = ({ instance: _, ...rest }: Problem) => rest
  expect(bare(there.json<Problem>())).toEqual(bare(missing.json<Problem>()))
  expect(there.headers['etag']).toBeUndefined()
})
