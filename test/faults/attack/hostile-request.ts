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

export const CAMPAIGN = `/v1/campaigns/${TARGET}`
export const CREATION = 'POST /v1/campaigns'
export const REPORT = `PATCH ${CAMPAIGN}/experiments/0001`
export const JSON_TYPE = 'Content-Type: application/json'
export const CHUNKED = 'Transfer-Encoding: chunked'

export const INVALID = '400 invalid'
export const MEDIA_TYPE = '415 unsupported-media-type'

export const running = '{"status":"running","worker":"intruder"}'

/** A request behind which more may come. */
export function keptOpen(line: string, headers: readonly string[] = [], body = ''): string {
  return [`${line} HTTP/1.1`, 'Host: localhost', ...headers, '', body].join('\r\n')
}

export function request(line: string, headers: readonly string[] = [], body = ''): string {
  return keptOpen(line, ['Connection: close', ...headers], body)
}

export function withBody(line: string, body: string): string {
  const bytes = Buffer.from(body).toString('latin1')
  return request(line, [JSON_TYPE, `Content-Length: ${bytes.length}`], bytes)
}

const BAD = '{"status":"done"}'

/** A report that is refused, behind which more may come. */
export const BAD_REPORT = keptOpen(REPORT, [JSON_TYPE, `Content-Length: ${BAD.length}`], BAD)

export function raw(name: string, answer: string, bytes: string | (() => string)): Hostile {
  return { name, bytes: typeof bytes === 'string' ? () => bytes : bytes, answers: [answer], least: 1 }
}
