import { METHODS } from 'node:http'
import { expect, test } from 'vitest'
import { openCampaign } from '../../support/campaigns/campaign.js'
import { DOORS, METHODS_OF } from '../../support/http/doors.js'
import { expectProblem, verdict } from '../../support/http/problems.js'
import { type AppReply, type CallOptions, type Method, openApp } from '../../support/service/app.js'
import { bytesOf } from '../../support/store/files.js'

/** Paths that are not in the document, with their methods. */
const PAGES = new Map([
  ['/', ['GET']],
  ['/docs', ['GET']],
  ['/docs/', ['GET']],
  ['/openapi.json', ['GET']],
  ['/problems', ['GET']],
])

const PATHS: readonly (readonly [path: string, methods: readonly string[]])[] = [...METHODS_OF, ...PAGES]

/** Every method that Node's parser knows; CONNECT names no path. */
const ANY_METHOD = METHODS.filter((method) => method !== 'CONNECT') as Method[]

const PREFLIGHT = { origin: 'https://a.example', 'access-control-request-method': 'PATCH' }

function allowed(methods: readonly string[]): string[] {
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].sort()
}

function allowOf({ headers }: AppReply): string[] {
  return (headers['allow'] ?? '').split(', ').sort()
}

test('a method that a known path has not is refused with those that it has, whatever the method', async () => {
  const { call, dataDir } = await openCampaign(1)
  const before = bytesOf(dataDir)
  for (const [path, methods] of PATHS) {
    for (const method of ANY_METHOD.filter((one) => !allowed(methods).includes(one))) {
      for (const options of [{}, { rawBody: '{' }] satisfies CallOptions[]) {
        const reply = await call(method, path, options)
        if (method !== 'HEAD') expect(`${method} ${path} ${verdict(reply)}`).toContain('405 method-not-allowed')
        expect([method, path, reply.status, allowOf(reply)]).toEqual([method, path, 405, allowed(methods)])
      }
    }
  }
  expect(bytesOf(dataDir)).toEqual(before)
})

test('OPTIONS of a known path names its methods, also where other origins may call', async () => {
  for (const access of [{}, { corsOrigins: ['https://a.example'] }]) {
    const { call } = await openCampaign(1, {}, { access })
    for (const [path, methods] of PATHS) {
      const reply = await call('OPTIONS', path)
      expect([path, reply.status, allowOf(reply), reply.text]).toEqual([path, 204, allowed(methods), ''])
    }
    expectProblem(await call('OPTIONS', '/v1/nothing'), 404, 'not-found')
  }
})

test('a preflight is answered for every path, before any guard', async () => {
  const { call } = await openApp({ access: { corsOrigins: ['https://a.example'] } })
  for (const [path] of PATHS) {
    const reply = await call('OPTIONS', path, { headers: PREFLIGHT })
    expect([reply.status, reply.headers['access-control-allow-origin']]).toEqual([204, 'https://a.example'])
    expect(reply.headers['access-control-allow-methods']).toContain('PATCH')
  }
})

test('HEAD works where GET does, streams of events included, and has no body', async () => {
  const { call } = await openCampaign(1)
  for (const [path] of PATHS.filter(([, methods]) => methods.includes('GET'))) {
    const reply = await call('HEAD', path)
    expect([path, reply.status, reply.text]).toEqual([path, 200, ''])
    const isStream = path.endsWith('/events')
    if (isStream) expect(reply.headers['content-type']).toMatch(/^text\/event-stream\b/)
  }
  expect((await call('HEAD', '/v1/campaigns/nothing/events')).status).toBe(404)
  expect((await call('HEAD', '/v1/events?colour=red')).status).toBe(400)
})

test('a trailing slash is not found, and the right address is named, whatever the method', async () => {
  const { call, dataDir } = await openCampaign(1)
  const before = bytesOf(dataDir)
  for (const path of METHODS_OF.keys()) {
    for (const method of ANY_METHOD) {
      for (const slashes of ['/', '//']) {
        const reply = await call(method, `${path}${slashes}?limit=1`)
        expect([method, path, reply.status]).toEqual([method, path, 404])
        if (method !== 'HEAD')
          expect(expectProblem(reply, 404, 'not-found').detail).toContain(`the address is ${path},`)
      }
    }
  }
  expect(bytesOf(dataDir)).toEqual(before)
})

test.each([
  '/v1',
  '/v1/',
  '/v2/campaigns',
  '/v1/nothing',
  '/v1/nothing/',
  '/v1/campaigns/sweep/nothing',
  '/healthz/deep',
])('%s is not found, whatever the method', async (path) => {
  const { call } = await openCampaign(1)
  for (const method of ANY_METHOD) {
    const reply = await call(method, path, method === 'POST' ? { rawBody: '{' } : {})
    expect([method, reply.status]).toEqual([method, 404])
    if (method !== 'HEAD') expect(expectProblem(reply, 404, 'not-found').detail).not.toContain('the address is')
  }
})

test.each(['/v1/campaigns//progress', '//v1/campaigns', '/v1//campaigns', '/v1/campaigns/sweep//experiments/0001'])(
  'an empty part of a path, %s, is not found',
  async (path) => {
    const { call } = await openCampaign(1)
    for (const method of ANY_METHOD) expect([method, (await call(method, path)).status]).toEqual([method, 404])
  },
)

test('the document has every method that is allowed', () => {
  expect(DOORS.length).toBeGreaterThan(20)
  expect([...METHODS_OF.keys()]).toContain('/v1/campaigns/sweep/experiments/0001/heartbeat')
})
