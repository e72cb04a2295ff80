import { gzipSync } from 'node:zlib'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import {
  CAMPAIGN,
  CHUNKED,
  CREATION,
  type Hostile,
  INVALID,
  JSON_TYPE,
  MEDIA_TYPE,
  raw,
  REPORT,
  request,
  running,
  withBody,
} from './hostile-request.js'

const MIB = 1024 * 1024
const TOO_LARGE = '413 body-too-large'
const MALFORMED_JSON = '400 malformed-json'
const BATCH = `PATCH ${CAMPAIGN}/experiments`

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const firstCycle = (value: string) => (text: string) => text.replace('"cycle_index":0', `"cycle_index":${value}`)
const withMember = (member: string) => (text: string) => text.replace('{', `{${member},`)

export const BODIES: readonly Hostile[] = [
  tooLarge('a creation of 13 MiB', () => withBody(CREATION, draft({ campaign_name: 'x'.repeat(13 * MIB) }))),
  tooLarge('a report of 5 MiB', () => withBody(REPORT, `{"status":"failed","error":"${'x'.repeat(5 * MIB)}"}`)),
  tooLarge('5 MiB in chunks', () => {
    const chunk = `${(64 * 1024).toString(16)}\r\n${' '.repeat(64 * 1024)}\r\n`
    return `${request(REPORT, [JSON_TYPE, CHUNKED])}${chunk.repeat(80)}0\r\n\r\n`
  }),
  raw('100 MiB that are declared', TOO_LARGE, request(REPORT, [JSON_TYPE, `Content-Length: ${100 * MIB}`])),
  invalid('200,000 levels of lists', CREATION, () => nested(200_000)),
  invalid('80,000 levels of objects', CREATION, () => '{"a":'.repeat(80_000) + '1' + '}'.repeat(80_000)),
  invalid('200,000 levels in a report', REPORT, () => `{"error":${nested(200_000)}}`),
  invalid('400,000 brackets that stay open', CREATION, () => '['.repeat(400_000)),
  changed('33 levels in a label', withMember(`"labels":{"team":${nested(31)}}`)),
  changed('1e400', firstCycle('1e400')),
  changed('-1e400', firstCycle('-1e400')),
  changed('2^53', firstCycle('9007199254740992')),
  changed('2^53 + 1', firstCycle('9007199254740993')),
  changed('a number of 100,000 digits', firstCycle('9'.repeat(100_000))),
  invalid('2^53 as the attempt', REPORT, '{"status":"running","attempt":9007199254740992}'),
  changed('__proto__ in a campaign', withMember('"__proto__":{"campaign_id":"forged"}')),
  changed('__proto__ twice', withMember('"__proto__":{},"__proto__":{"experiments":[]}')),
  changed('__proto__ in the labels', withMember('"labels":{"__proto__":"x"}')),
  invalid('__proto__ in a report', REPORT, `{"__proto__":${running}}`),
  invalid('a field twice, the second time of another type', REPORT, '{"status":"running","status":["running"]}'),
  creation('half of a character as the id', { campaign_id: '\ud800' }),
  invalid('half of a character as an exp_id', BATCH, '{"updates":[{"exp_id":"\\udfff"}]}'),
  raw(
    'bytes that are no UTF-8 in an id',
    MALFORMED_JSON,
    request(CREATION, [JSON_TYPE, 'Content-Length: 21'], '{"campaign_id":"\xff\xfe\xc0"}'),
  ),
  creation('an exp_id twice', { experiments: [experimentDraft('1'), experimentDraft('2'), experimentDraft('1')] }),
  invalid('an exp_id appended twice', `POST ${CAMPAIGN}/experiments`, () =>
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
  invalid('a status that there is not', REPORT, '{"status":"done"}'),
  invalid('a list for an object', REPORT, '[]'),
  invalid('a revision of its own', REPORT, '{"status":"running","revision":99}'),
  invalid('too many updates', BATCH, () =>
    JSON.stringify({
      updates: Array.from({ length: 1001 }, (_, index) => ({ exp_id: `x${index}`, status: 'running' })),
    }),
  ),
  malformed('a word for JSON', 'running'),
  malformed('JSON that is cut short', running.slice(0, -1)),
  malformed('JSON with more behind it', running + running),
  malformed('zeros', '\0'.repeat(1000)),
  raw('compressed JSON that is cut short', '400 malformed-encoding', () => {
    const bytes = gzipSync(running).subarray(0, -9).toString('latin1')
    return request(REPORT, [JSON_TYPE, 'Content-Encoding: gzip', `Content-Length: ${bytes.length}`], bytes)
  }),
  mediaType('text/plain', ['Content-Type: text/plain']),
  mediaType('a form', ['Content-Type: application/x-www-form-urlencoded']),
  mediaType('almost JSON', ['Content-Type: application/jsonp']),
  mediaType('no type', []),
]

function invalid(name: string, line: string, body: string | (() => string)): Hostile {
  return raw(name, INVALID, () => withBody(line, typeof body === 'string' ? body : body()))
}

function malformed(name: string, body: string): Hostile {
  return raw(name, MALFORMED_JSON, withBody(REPORT, body))
}

function creation(name: string, given: object): Hostile {
  return invalid(name, CREATION, draft(given))
}

function changed(name: string, change: (text: string) => string): Hostile {
  return invalid(name, CREATION, () => change(draft()))
}

/** The JSON of a good creation, with something else in its place. */
function draft(given: object = {}): string {
  return JSON.stringify({ ...campaignDraft(2), campaign_id: 'forged', ...given })
}

function mediaType(name: string, headers: readonly string[]): Hostile {
  const length = `Content-Length: ${running.length}`
  return raw(name, MEDIA_TYPE, request(REPORT, [...headers, length], running))
}

/** The service may close such a connection while the client still sends: then the answer may be lost on its way. */
function tooLarge(name: string, bytes: () => string): Hostile {
  return { name, bytes, answers: [TOO_LARGE], least: 0 }
}
