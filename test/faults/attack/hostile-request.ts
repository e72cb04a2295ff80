import { campaignDraft } from '../../support/campaigns/drafts.js'

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

export const MIB = 1024 * 1024
export const CAMPAIGN = `/v1/campaigns/${TARGET}`
export const FIRST = `${CAMPAIGN}/experiments/0001`
export const JSON_TYPE = 'Content-Type: application/json'

export const INVALID = '400 invalid'
export const MALFORMED_JSON = '400 malformed-json'
export const MALFORMED_REQUEST = '400 malformed-request'
export const MALFORMED_URL = '400 malformed-url'
export const NOT_FOUND = '404 not-found'
export const TOO_LARGE = '413 body-too-large'
export const MEDIA_TYPE = '415 unsupported-media-type'
export const HEADERS_TOO_LARGE = '431 headers-too-large'

export const good = { ...campaignDraft(2), campaign_id: 'forged' }
export const running = '{"status":"running","worker":"intruder"}'

export function request(line: string, headers: readonly string[] = [], body = ''): string {
  return [`${line} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers, '', body].join('\r\n')
}

export function withBody(line: string, body: string, type = JSON_TYPE): string {
  const bytes = Buffer.from(body).toString('latin1')
  return request(line, [type, `Content-Length: ${bytes.length}`], bytes)
}

export function raw(name: string, answer: string, bytes: string | (() => string)): Hostile {
  return { name, bytes: typeof bytes === 'string' ? () => bytes : bytes, answers: [answer], least: 1 }
}

export function json(name: string, answer: string, line: string, body: string | (() => string)): Hostile {
  return raw(name, answer, () => withBody(line, typeof body === 'string' ? body : body()))
}

export function creation(name: string, given: object): Hostile {
  return json(name, INVALID, 'POST /v1/campaigns', JSON.stringify({ ...good, ...given }))
}

export function rawCreation(name: string, answer: string, change: (text: string) => string): Hostile {
  return json(name, answer, 'POST /v1/campaigns', () => change(JSON.stringify(good)))
}

export function report(name: string, body: string): Hostile {
  return json(name, INVALID, `PATCH ${FIRST}`, body)
}

export function path(answer: string, method: string, target: string): Hostile {
  const line = `${method} ${target}`
  const bytes = method === 'PATCH' ? withBody(line, running) : request(line)
  return raw(line.length > 100 ? `${line.slice(0, 100)}...` : line, answer, bytes)
}

export function mediaType(name: string, headers: readonly string[]): Hostile {
  const length = `Content-Length: ${running.length}`
  return raw(name, MEDIA_TYPE, request(`PATCH ${FIRST}`, [...headers, length], running))
}

/** The service may close such a connection while the client still sends: then the answer may be lost on its way. */
export function tooLarge(name: string, bytes: () => string): Hostile {
  return { name, bytes, answers: [TOO_LARGE], least: 0 }
}
