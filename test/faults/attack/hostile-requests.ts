import { BODIES } from './hostile-bodies.js'
import {
  BAD_REPORT,
  CAMPAIGN,
  CHUNKED,
  type Hostile,
  INVALID,
  JSON_TYPE,
  keptOpen,
  MEDIA_TYPE,
  raw,
  REPORT,
  request,
  running,
  TARGET,
  withBody,
} from './hostile-request.js'

const MALFORMED_REQUEST = '400 malformed-request'
const MALFORMED_URL = '400 malformed-url'
const NOT_FOUND = '404 not-found'
const NOT_ALLOWED = '405 method-not-allowed'
const UNKNOWN_METHOD = '501 unknown-method'
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
  path(NOT_ALLOWED, 'TRACE', '/v1/campaigns'),
  path(NOT_ALLOWED, 'PROPFIND', '/v1/campaigns'),
  path(MALFORMED_URL, 'GET', '/v1/campaigns/%zz'),
  path(MALFORMED_URL, 'GET', '/v1/campaigns/%f0%9f'),
  path('414 url-too-long', 'GET', `/v1/campaigns/${'a'.repeat(2000)}`),
]

const HALF = report(['Content-Length: 500'], running)

const HTTP: readonly Hostile[] = [
  malformed('no Host', `${REPORT} HTTP/1.1\r\nConnection: close\r\n\r\n`),
  malformed('two Hosts', request('GET /v1/campaigns', ['Host: evil.example'])),
  malformed('a word', 'NONSENSE\r\n\r\n'),
  malformed('bytes of another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'),
  malformed('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  raw('a method that there is not', UNKNOWN_METHOD, request('BREW /v1/campaigns')),
  malformed('a version that there is not', 'GET /v1/campaigns HTTP/9.9\r\nHost: localhost\r\n\r\n'),
  malformed('a header without a colon', request('GET /v1/campaigns', ['nonsense'])),
  malformed('a header with a control character', request('GET /v1/campaigns', ['X-A: \x01'])),
  malformed('a space in the URL', request('GET /v1/camp aigns')),
  malformed('a length that is no number', request(REPORT, ['Content-Length: ten'], running)),
  malformed('a negative length', request(REPORT, ['Content-Length: -1'], running)),
  malformed('two lengths', report(['Content-Length: 2', `Content-Length: ${running.length}`], running)),
  malformed('a length and chunks', report(['Content-Length: 4', CHUNKED], '0\r\n\r\n')),
  malformed('an encoding that there is not', report([`${CHUNKED}, identity`], running)),
  malformed('a chunk without a size', report([CHUNKED], `x\r\n${running}\r\n`)),
  malformed('a body that ends before its chunk', report([CHUNKED], `2\r\n${running}\r\n0\r\n\r\n`)),
  raw('one header of 20 kB', HEADERS_TOO_LARGE, request('GET /v1/campaigns', [`X-Large: ${'x'.repeat(20_000)}`])),
  raw('a URL of 20 kB', HEADERS_TOO_LARGE, request(`GET /v1/campaigns?name=${'x'.repeat(20_000)}`)),
  raw('a thousand headers', HEADERS_TOO_LARGE, () =>
    request(
      'GET /v1/campaigns',
      Array.from({ length: 1000 }, (_, index) => `X-${index}: ${'x'.repeat(20)}`),
    ),
  ),
  raw('an expectation that there is not', '417 expectation-failed', request('GET /v1/campaigns', ['Expect: miracles'])),
  { ...raw('a tunnel', UNKNOWN_METHOD, request('CONNECT localhost:22')), least: 0 },
  { ...malformed('half a body and no more', HALF), then: 'end-writing' },
  { ...malformed('half a head and no more', `${REPORT} HTTP/1.1\r\nHost: local`), then: 'end-writing' },
  { name: 'half a body and a reset', bytes: () => HALF, answers: [], least: 0, then: 'reset' },
]

/** Many requests before the first answer is read. */
const PIPELINES: readonly Hostile[] = [
  {
    ...raw('16 bad reports in one piece', INVALID, BAD_REPORT.repeat(15) + withBody(REPORT, '{"status":"done"}')),
    least: 16,
  },
  {
    name: 'a bad report with nonsense behind it',
    bytes: () => keptOpen(REPORT, [JSON_TYPE, 'Content-Length: 2'], '{}') + 'NONSENSE\r\n\r\n',
    answers: [INVALID, MALFORMED_REQUEST],
    least: 1,
  },
  raw(
    'a report that is smuggled in behind a body which is refused',
    MEDIA_TYPE,
    request(REPORT, ['Content-Type: text/plain', 'Content-Length: 2'], 'xx') + withBody(REPORT, running),
  ),
]

export const HOSTILE: readonly Hostile[] = [...BODIES, ...PATHS, ...HTTP, ...PIPELINES]

function path(answer: string, method: string, target: string): Hostile {
  const line = `${method} ${target}`
  const bytes = method === 'PATCH' ? withBody(line, running) : request(line)
  return raw(line.length > 100 ? `${line.slice(0, 100)}...` : line, answer, bytes)
}

function malformed(name: string, bytes: string): Hostile {
  return raw(name, MALFORMED_REQUEST, bytes)
}

function report(headers: readonly string[], body: string): string {
  return request(REPORT, [JSON_TYPE, ...headers], body)
}
