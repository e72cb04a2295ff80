import { gzipSync } from 'node:zlib'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'

/** Something that no client with good intentions sends. */
export interface Hostile {
  readonly name: string
  /** With characters up to U+00FF, a byte each. */
  readonly bytes: () => string
  /** The problems that each answer may be, as status and code. */
  readonly answers: readonly string[]
  /** How many answers there must be at least: 1, but where the service may close before it is read. */
  readonly least: number
  /** What the client does once it has sent all; it waits for the end when nothing is given. */
  readonly then?: 'end-writing' | 'reset'
}

/** The campaign that all of it goes to; it has two experiments. */
export const TARGET = 'quiet'

const MIB = 1024 * 1024
const CAMPAIGN = `/v1/campaigns/${TARGET}`
const FIRST = `${CAMPAIGN}/experiments/0001`
const JSON_TYPE = 'Content-Type: application/json'

const INVALID = '400 invalid'
const MALFORMED_JSON = '400 malformed-json'
const MALFORMED_REQUEST = '400 malformed-request'
const MALFORMED_URL = '400 malformed-url'
const NOT_FOUND = '404 not-found'
const TOO_LARGE = '413 body-too-large'
const MEDIA_TYPE = '415 unsupported-media-type'
const HEADERS_TOO_LARGE = '431 headers-too-large'

const good = { ...campaignDraft(2), campaign_id: 'forged' }
const running = '{"status":"running","worker":"intruder"}'

function request(line: string, headers: readonly string[] = [], body = ''): string {
  return [`${line} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers, '', body].join('\r\n')
}

function withBody(line: string, body: string, type = JSON_TYPE): string {
  const bytes = Buffer.from(body).toString('latin1')
  return request(line, [type, `Content-Length: ${bytes.length}`], bytes)
}

function raw(name: string, answer: string, bytes: string | (() => string)): Hostile {
  return { name, bytes: typeof bytes === 'string' ? () => bytes : bytes, answers: [answer], least: 1 }
}

function json(name: string, answer: string, line: string, body: string | (() => string)): Hostile {
  return raw(name, answer, () => withBody(line, typeof body === 'string' ? body : body()))
}

function creation(name: string, given: object): Hostile {
  return json(name, INVALID, 'POST /v1/campaigns', JSON.stringify({ ...good, ...given }))
}

function rawCreation(name: string, answer: string, change: (text: string) => string): Hostile {
  return json(name, answer, 'POST /v1/campaigns', () => change(JSON.stringify(good)))
}

function report(name: string, body: string): Hostile {
  return json(name, INVALID, `PATCH ${FIRST}`, body)
}

function path(answer: string, method: string, target: string): Hostile {
  const line = `${method} ${target}`
  const bytes = method === 'PATCH' ? withBody(line, running) : request(line)
  return raw(line.length > 100 ? `${line.slice(0, 100)}...` : line, answer, bytes)
}

function mediaType(name: string, headers: readonly string[]): Hostile {
  const length = `Content-Length: ${running.length}`
  return raw(name, MEDIA_TYPE, request(`PATCH ${FIRST}`, [...headers, length], running))
}

/** The service may close such a connection while the client still sends: then the answer may be lost on its way. */
function tooLarge(name: string, bytes: () => string): Hostile {
  return { name, bytes, answers: [TOO_LARGE], least: 0 }
}

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const firstCycle = (value: string) => (text: string) => text.replace('"cycle_index":0', `"cycle_index":${value}`)
const withMember = (member: string) => (text: string) => text.replace('{', `{${member},`)

const BODIES: readonly Hostile[] = [
  tooLarge('a creation of 17 MiB', () =>
    withBody('POST /v1/campaigns', JSON.stringify({ ...good, campaign_name: 'x'.repeat(17 * MIB) })),
  ),
  tooLarge('a report of 2 MiB', () =>
    withBody(`PATCH ${FIRST}`, JSON.stringify({ status: 'failed', error: 'x'.repeat(2 * MIB) })),
  ),
  tooLarge('2 MiB in chunks', () => {
    const chunk = `${(64 * 1024).toString(16)}\r\n${' '.repeat(64 * 1024)}\r\n`
    return `${request(`PATCH ${FIRST}`, [JSON_TYPE, 'Transfer-Encoding: chunked'])}${chunk.repeat(32)}0\r\n\r\n`
  }),
  raw('100 MiB that are declared', TOO_LARGE, request(`PATCH ${FIRST}`, [JSON_TYPE, `Content-Length: ${100 * MIB}`])),
  json('200,000 levels of lists', INVALID, 'POST /v1/campaigns', () => nested(200_000)),
  json(
    '80,000 levels of objects',
    INVALID,
    'POST /v1/campaigns',
    () => '{"a":'.repeat(80_000) + '1' + '}'.repeat(80_000),
  ),
  json('200,000 levels in a report', INVALID, `PATCH ${FIRST}`, () => `{"error":${nested(200_000)}}`),
  json('400,000 brackets that stay open', INVALID, 'POST /v1/campaigns', () => '['.repeat(400_000)),
  rawCreation('33 levels in a label', INVALID, withMember(`"labels":{"team":${nested(31)}}`)),
  rawCreation('1e400', INVALID, firstCycle('1e400')),
  rawCreation('-1e400', INVALID, firstCycle('-1e400')),
  rawCreation('2^53', INVALID, firstCycle('9007199254740992')),
  rawCreation('2^53 + 1', INVALID, firstCycle('9007199254740993')),
  rawCreation('a number of 100,000 digits', INVALID, firstCycle('9'.repeat(100_000))),
  report('2^53 as the attempt', '{"status":"running","attempt":9007199254740992}'),
  rawCreation('__proto__ in a campaign', INVALID, withMember('"__proto__":{"campaign_id":"forged"}')),
  rawCreation('__proto__ twice', INVALID, withMember('"__proto__":{},"__proto__":{"experiments":[]}')),
  rawCreation('__proto__ in the labels', INVALID, withMember('"labels":{"__proto__":"x"}')),
  report('__proto__ in a report', `{"__proto__":${running}}`),
  report('a field twice, the second time of another type', '{"status":"running","status":["running"]}'),
  creation('half of a character as the id', { campaign_id: '\ud800' }),
  json(
    'half of a character as an exp_id',
    INVALID,
    `PATCH ${CAMPAIGN}/experiments`,
    '{"updates":[{"exp_id":"\\udfff"}]}',
  ),
  raw(
    'bytes that are no UTF-8 in an id',
    INVALID,
    request('POST /v1/campaigns', [JSON_TYPE, 'Content-Length: 21'], '{"campaign_id":"\xff\xfe\xc0"}'),
  ),
  creation('an exp_id twice', { experiments: [experimentDraft('1'), experimentDraft('2'), experimentDraft('1')] }),
  json(
    'an exp_id appended twice',
    INVALID,
    `POST ${CAMPAIGN}/experiments`,
    JSON.stringify({ experiments: [experimentDraft('9'), experimentDraft('9')] }),
  ),
  creation('a text for a list', { experiments: '0001' }),
  creation('a number for a text', { campaign_name: 7 }),
  creation('a list as the id', { campaign_id: ['forged'] }),
  creation('null for a text', { campaign_name: null }),
  creation('a truth value that is a text', { settings: { paused: 'true' } }),
  creation('an unknown field', { admin: true }),
  ...['../forged', '..', 'a/b', 'a\\b', 'a\0b', 'forged.json', 'a\n', 'x'.repeat(64)].map((campaign_id) =>
    creation(`the id ${JSON.stringify(campaign_id)}`, { campaign_id }),
  ),
  ...['../0001', 'a/b', 'a\0', ''].map((exp_id) =>
    creation(`the exp_id ${JSON.stringify(exp_id)}`, { experiments: [experimentDraft(exp_id)] }),
  ),
  report('a status that there is not', '{"status":"done"}'),
  report('a list for an object', '[]'),
  report('a revision of its own', '{"status":"running","revision":99}'),
  json('too many updates', INVALID, `PATCH ${CAMPAIGN}/experiments`, () =>
    JSON.stringify({
      updates: Array.from({ length: 1001 }, (_, index) => ({ exp_id: `x${index}`, status: 'running' })),
    }),
  ),
  json('a word for JSON', MALFORMED_JSON, `PATCH ${FIRST}`, 'running'),
  json('JSON that is cut short', MALFORMED_JSON, `PATCH ${FIRST}`, running.slice(0, -1)),
  json('JSON with more behind it', MALFORMED_JSON, `PATCH ${FIRST}`, running + running),
  json('zeros', MALFORMED_JSON, `PATCH ${FIRST}`, '\0'.repeat(1000)),
  raw('compressed JSON', MALFORMED_JSON, () => {
    const bytes = gzipSync(running).toString('latin1')
    return request(`PATCH ${FIRST}`, [JSON_TYPE, 'Content-Encoding: gzip', `Content-Length: ${bytes.length}`], bytes)
  }),
  mediaType('text/plain', ['Content-Type: text/plain']),
  mediaType('a form', ['Content-Type: application/x-www-form-urlencoded']),
  mediaType('almost JSON', ['Content-Type: application/jsonp']),
  mediaType('no type', []),
]

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
