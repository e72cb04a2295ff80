import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError } from 'fastify'
import { problem, PROBLEM_TYPE } from './problem.ts'
import { PROBLEMS, type HttpErrorCode } from './catalog.ts'
import { nextRequestId, requestIdOf } from '../hooks/request-id.ts'
import { RESPONSE_HEADERS } from '../hooks/response-headers.ts'

/** Answers to what never becomes a request of Fastify's: Node would send them empty. */

const CODES: Readonly<Record<string, HttpErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
}

/** The client ends in the middle of a request. */
const CUT_OFF = 'HPE_INVALID_EOF_STATE'

/**
 * Milliseconds that a client has to read its last answer and to close: closed at once, with something on its way from it, the
 * connection would be reset and might take the answer along; and one that never closes would keep its place for ever.
 */
const LINGER = 1000

/** A connection whose answers Node sends one after the other: with the one that has its turn. */
type Answering = Socket & { readonly _httpMessage?: ServerResponse | null }

/** What comes on them is no HTTP any more: the first error of each is answered. */
const broken = new WeakSet<Socket>()

/** Answers what is not even a request: there is no reply to answer with, only the socket. */
export function answerClientError({ code }: ConnectionError, socket: Socket): void {
  if (code === 'ECONNRESET') socket.destroy()
  else if (!broken.has(socket)) {
    broken.add(socket)
    discardRest(socket)
    afterAnswers(socket, () => {
      endWith(CODES[code] ?? 'malformed-request', socket)
    })
  } else if (code === CUT_OFF) socket.end()
}

/**
 * Takes what still comes away from Node's parser, to which each piece would be another error, or the rest of a request that is
 * answered already. Read it must be: unread it would hide that the client leaves, and reset the connection in the end.
 */
function discardRest(socket: Socket): void {
  socket.removeAllListeners('data')
  socket.on('data', () => undefined)
  socket.resume()
}

/** Once all is answered that was asked in full: who asks on takes the next answer for that to what he asked first. */
function afterAnswers(socket: Answering, then: () => void): void {
  const response = socket._httpMessage
  if (response === null || response === undefined) then()
  else if (response.req.complete || response.writableEnded) {
    response.once('close', () => {
      afterAnswers(socket, then)
    })
  } else if (response.headersSent) {
    // Begun before it was asked in full, and not at its end: anything more would stand within that answer.
    socket.destroy()
  } else then()
}

function endWith(code: HttpErrorCode, socket: Socket): void {
  setTimeout(() => socket.destroy(), LINGER).unref()
  // An answer before may have been its last.
  if (!socket.writable) return
  const { status, headers, json } = bareAnswer(code, nextRequestId())
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${json}`)
}

/** Answers a request with a header `Expect` other than 100-continue. */
export function answerExpectation(request: IncomingMessage, response: ServerResponse): void {
  const { status, headers, json } = bareAnswer('expectation-failed', requestIdOf(request))
  response.writeHead(status, headers).end(json)
}

function bareAnswer(
  code: HttpErrorCode,
  requestId: string,
): { status: number; headers: Record<string, string>; json: string } {
  const { status, meaning } = PROBLEMS[code]
  const json = JSON.stringify(problem(code, meaning, ''))
  const headers = {
    ...RESPONSE_HEADERS,
    'content-type': PROBLEM_TYPE,
    'content-length': String(Buffer.byteLength(json)),
    'x-request-id': requestId,
    connection: 'close',
  }
  return { status, headers, json }
}
