import { gzipSync } from 'node:zlib'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import {
  CAMPAIGN,
  FIRST,
  type Hostile,
  INVALID,
  JSON_TYPE,
  MEDIA_TYPE,
  raw,
  request,
  running,
  withBody,
} from './hostile-request.js'

const MIB = 1024 * 1024
const TOO_LARGE = '413 body-too-large'
const MALFORMED_JSON = '400 malformed-json'
const good = { ...campaignDraft(2), campaign_id: 'forged' }

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const firstCycle = (value: string) => (text: string) => text.replace('"cycle_index":0', `"cycle_index":${value}`)
const withMember = (member: string) => (text: string) => text.replace('{', `{${member},`)

export const BODIES: readonly Hostile[] = [
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

function mediaType(name: string, headers: readonly string[]): Hostile {
  const length = `Content-Length: ${running.length}`
  return raw(name, MEDIA_TYPE, request(`PATCH ${FIRST}`, [...headers, length], running))
}

/** The service may close such a connection while the client still sends: then the answer may be lost on its way. */
function tooLarge(name: string, bytes: () => string): Hostile {
  return { name, bytes, answers: [TOO_LARGE], least: 0 }
}
