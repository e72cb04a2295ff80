import { once } from 'node:events'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import type { DocumentedAnswer } from '../../support/http/open-api-document.js'
import { bodyOf, type FuzzRequest, urlOf } from './fuzz-request.js'

/** Milliseconds after which it has hung. */
const REPLY_TIMEOUT = 20_000
/** Milliseconds in which a stream sends its first event, if it has one. */
const FIRST_EVENT_LIMIT = 100

/** Of a stream the answer is what comes until the first event has. Rejects when the connection breaks. */
export async function sendFuzzed(serviceUrl: string, request: FuzzRequest): Promise<DocumentedAnswer> {
  const { hostname, port } = new URL(serviceUrl)
  const body = bodyOf(request)
  const ofBody = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body ?? '') }
  const headers = { ...(body === undefined ? {} : ofBody), ...request.headers }
  const { method } = request.operation
  // A path that is given as a URL would be put in order: dots in it are for the service to check.
  const path = urlOf(request)
  const sent = httpRequest({ hostname, port, path, method, headers, timeout: REPLY_TIMEOUT })
  sent.once('timeout', () => sent.destroy(new Error(`no answer within ${REPLY_TIMEOUT / 1000} s`)))
  const responded = once(sent, 'response')
  // A connection that breaks after the head of the answer rejects the read of its body.
  sent.on('error', () => undefined).end(body)
  const [response] = (await responded) as [IncomingMessage]
  const { statusCode: status = 0, headers: answered } = response
  const isStream = answered['content-type']?.startsWith('text/event-stream') === true
  return { status, headers: answered, body: await (isStream ? firstEventOf(response) : text(response)) }
}

async function firstEventOf(response: IncomingMessage): Promise<string> {
  let event = ''
  const timer = setTimeout(() => response.destroy(), FIRST_EVENT_LIMIT)
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      event += String(chunk)
      if (event.includes('\n\n')) break
    }
  } catch {
    // Nothing more came in time.
  }
  clearTimeout(timer)
  return event
}
