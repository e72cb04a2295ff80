import { BODIES } from './hostile-bodies.js'
import {
  CAMPAIGN,
  FIRST,
  type Hostile,
  INVALID,
  JSON_TYPE,
  MALFORMED_REQUEST,
  MEDIA_TYPE,
  raw,
  request,
  running,
  TARGET,
  withBody,
} from './hostile-request.js'

const MALFORMED_URL = '400 malformed-url'
const NOT_FOUND = '404 not-found'
const HEADERS_TOO_LARGE = '431 headers-too-large'

const PATHS: readonly Hostile[] = [
  path(INVALID, 'GET', `/v1/campaigns/..%2f${TARGET}`),
  path(INVALID, 'GET', `/v1/campaigns/%2e%2e%2f${TARGET}`),
  path(INVALID, 'GET', '/v1/campaigns/%2e%2e'),
  path(INVALID, 'GET', `/v1/campaigns/${TARGET}%00`),
  path(INVALID, 'GET', `/v1/campaigns/${TARGET}.json`),
  path(INVALID, 'GET', `/v1/campaigns/${TARGET}%0d%0aX-Injected:%20yes`),
  path(INVALID, 'DELETE', `/v1/campaigns/..%2fcampaigns%2f${TARGET}?force=true`),
  path(INVALID, 'DELETE', `/v1/campaigns/${TARGET}%00?force=true`),
  path(INVALID, 'PATCH', `${CAMPAIGN}/experiments/..%2f0001`),
  path(INVALID, 'PATCH', `${CAMPAIGN}/experiments/0001%00`),
  path(INVALID, 'PATCH', `/v1/campaigns/..%2fcampaigns%2f${TARGET}/experiments/0001`),
  path(INVALID, 'GET', '/v1/campaigns?limit=1e9'),
  path(INVALID, 'GET', '/v1/campaigns?page_token=..%2f..%2fetc%2fpasswd'),
  path(INVALID, 'GET', '/v1/campaigns?__proto__=x'),
  path(NOT_FOUND, 'GET', '/v1/campaigns/../../etc/passwd'),
  path(NOT_FOUND, 'DELETE', `/v1/./campaigns/${TARGET}?force=true`),
  path(NOT_FOUND, 'GET', '/docs/..%2f..%2f..%2fetc%2fpasswd'),
  path(INVALID, 'GET', '/problems/..%2fproblems'),
  path(NOT_FOUND, 'TRACE', '/v1/campaigns'),
  path(NOT_FOUND, 'PROPFIND', '/v1/campaigns'),
  path(MALFORMED_URL, 'GET', '/v1/campaigns/%zz'),
  path(MALFORMED_URL, 'GET', '/v1/campaigns/%f0%9f'),
  path('414 url-too-long', 'GET', `/v1/campaigns/${'a'.repeat(2000)}`),
]

const HTTP: readonly Hostile[] = [
  raw('no Host', MALFORMED_REQUEST, `PATCH ${FIRST} HTTP/1.1\r\nConnection: close\r\n\r\n`),
  raw('two Hosts', MALFORMED_REQUEST, request('GET /v1/campaigns', ['Host: evil.example'])),
  raw('a word', MALFORMED_REQUEST, 'NONSENSE\r\n\r\n'),
  raw('bytes of another protocol', MALFORMED_REQUEST, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'),
  raw('the preface of HTTP/2', MALFORMED_REQUEST, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  raw('a method that there is not', MALFORMED_REQUEST, request('BREW /v1/campaigns')),
  raw('a version that there is not', MALFORMED_REQUEST, 'GET /v1/campaigns HTTP/9.9\r\nHost: localhost\r\n\r\n'),
  raw('a header without a colon', MALFORMED_REQUEST, request('GET /v1/campaigns', ['nonsense'])),
  raw('a header with a control character', MALFORMED_REQUEST, request('GET /v1/campaigns', ['X-A: \x01'])),
  raw('a space in the URL', MALFORMED_REQUEST, request('GET /v1/camp aigns')),
  raw('a length that is no number', MALFORMED_REQUEST, request(`PATCH ${FIRST}`, ['Content-Length: ten'], running)),
  raw('a negative length', MALFORMED_REQUEST, request(`PATCH ${FIRST}`, ['Content-Length: -1'], running)),
  raw(
    'two lengths',
    MALFORMED_REQUEST,
    request(`PATCH ${FIRST}`, [JSON_TYPE, 'Content-Length: 2', `Content-Length: ${running.length}`], running),
  ),
  raw(
    'a length and chunks',
    MALFORMED_REQUEST,
    request(`PATCH ${FIRST}`, [JSON_TYPE, 'Content-Length: 4', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  ),
  raw(
    'an encoding that there is not',
    MALFORMED_REQUEST,
    request(`PATCH ${FIRST}`, [JSON_TYPE, 'Transfer-Encoding: chunked, identity'], running),
  ),
  raw(
    'a chunk without a size',
    MALFORMED_REQUEST,
    request(`PATCH ${FIRST}`, [JSON_TYPE, 'Transfer-Encoding: chunked'], `x\r\n${running}\r\n`),
  ),
  raw(
    'a body that ends before its chunk',
    MALFORMED_REQUEST,
    request(`PATCH ${FIRST}`, [JSON_TYPE, 'Transfer-Encoding: chunked'], `2\r\n${running}\r\n0\r\n\r\n`),
  ),
  raw('one header of 20 kB', HEADERS_TOO_LARGE, request('GET /v1/campaigns', [`X-Large: ${'x'.repeat(20_000)}`])),
  raw('a URL of 20 kB', HEADERS_TOO_LARGE, request(`GET /v1/campaigns?name=${'x'.repeat(20_000)}`)),
  raw('a thousand headers', HEADERS_TOO_LARGE, () =>
    request(
      'GET /v1/campaigns',
      Array.from({ length: 1000 }, (_, index) => `X-${index}: ${'x'.repeat(20)}`),
    ),
  ),
  raw('an expectation that there is not', '417 expectation-failed', request('GET /v1/campaigns', ['Expect: miracles'])),
  { ...raw('a tunnel', NOT_FOUND, request('CONNECT localhost:22')), least: 0 },
  {
    ...raw(
      'half a body and no more',
      MALFORMED_REQUEST,
      request(`PATCH ${FIRST}`, [JSON_TYPE, 'Content-Length: 500'], running),
    ),
    then: 'end-writing',
  },
  {
    ...raw('half a head and no more', MALFORMED_REQUEST, `PATCH ${FIRST} HTTP/1.1\r\nHost: local`),
    then: 'end-writing',
  },
  {
    name: 'half a body and a reset',
    bytes: () => request(`PATCH ${FIRST}`, [JSON_TYPE, 'Content-Length: 500'], running),
    answers: [],
    least: 0,
    then: 'reset',
  },
]

/** Many requests before the first answer is read. */
const PIPELINES: readonly Hostile[] = [
  {
    name: '50 bad reports in one piece',
    bytes: () => {
      const body = '{"status":"done"}'
      const one = `PATCH ${FIRST} HTTP/1.1\r\nHost: localhost\r\n${JSON_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      return one.repeat(49) + withBody(`PATCH ${FIRST}`, body)
    },
    answers: [INVALID],
    least: 50,
  },
  {
    name: 'a bad report with nonsense behind it',
    bytes: () =>
      `PATCH ${FIRST} HTTP/1.1\r\nHost: localhost\r\n${JSON_TYPE}\r\nContent-Length: 2\r\n\r\n{}` + 'NONSENSE\r\n\r\n',
    answers: [INVALID, MALFORMED_REQUEST],
    least: 1,
  },
  {
    name: 'a report that is smuggled in behind a body which is refused',
    bytes: () =>
      request(`PATCH ${FIRST}`, ['Content-Type: text/plain', 'Content-Length: 2'], 'xx') +
      withBody(`PATCH ${FIRST}`, running),
    answers: [MEDIA_TYPE],
    least: 1,
  },
]

export const HOSTILE: readonly Hostile[] = [...BODIES, ...PATHS, ...HTTP, ...PIPELINES]

function path(answer: string, method: string, target: string): Hostile {
  const line = `${method} ${target}`
  const bytes = method === 'PATCH' ? withBody(line, running) : request(line)
  return raw(line.length > 100 ? `${line.slice(0, 100)}...` : line, answer, bytes)
}
