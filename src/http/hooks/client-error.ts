import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError } from 'fastify'
import { discardRest } from '../connections/discard-rest.ts'
import { type HttpErrorCode, PROBLEMS } from '../problems/catalog.ts'
import { problem, PROBLEM_TYPE } from '../problems/problem.ts'
import { nextRequestId, requestIdOf } from './request-id.ts'
import { RESPONSE_HEADERS } from './response-headers.ts'

/** Errors of Node's parser; each other one is `malformed-request`. Node itself would send responses without a body. */
const CODES: Readonly<Record<string, HttpErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
}

/** The client closes its side in the middle of a request. */
const CUT_OFF = 'HPE_INVALID_EOF_STATE'

/**
 * Milliseconds that a client has to read its last response and to close. Closed at once, with bytes of the client under way, the
 * connection would be reset and the response might be lost; a client that never closes would keep its connection for ever.
 */
const LINGER = 1000

/** A connection, with the response that Node sends on it now; pipelined ones follow in their order. */
type HttpSocket = Socket & { readonly _httpMessage?: ServerResponse | null }

/** Connections on which nothing is parsed as HTTP any more: each gets a response to its first error only. */
const broken = new WeakSet<Socket>()

/** Responds to bytes that are not a request: there is no reply object, only the socket. */
export function respondToClientError({ code }: ConnectionError, socket: Socket): void {
  if (code === 'ECONNRESET') socket.destroy()
  else if (!broken.has(socket)) {
    broken.add(socket)
    discardRest(socket)
    afterResponses(socket, () => endWith(CODES[code] ?? 'malformed-request', socket))
  } else if (code === CUT_OFF) socket.end()
}

/** Waits until each complete request has its response: a client that pipelines takes the next response for that of its first request. */
function afterResponses(socket: HttpSocket, then: () => void): void {
  const response = socket._httpMessage
  if (response === null || response === undefined) then()
  else if (response.req.complete || response.writableEnded) {
    response.once('close', () => afterResponses(socket, then))
  } else if (response.headersSent) {
    // Begun before its request was complete, and unfinished: more bytes would become a part of that response.
    socket.destroy()
  } else then()
}

function endWith(code: HttpErrorCode, socket: Socket): void {
  setTimeout(() => socket.destroy(), LINGER).unref()
  // An earlier response may have closed it.
  if (!socket.writable) return
  const { status, headers, json } = bareResponse(code, nextRequestId())
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${json}`)
}

/** Responds to a request whose header `Expect` is not 100-continue. */
export function respondToExpectation(request: IncomingMessage, response: ServerResponse): void {
  const { status, headers, json } = bareResponse('expectation-failed', requestIdOf(request))
  response.writeHead(status, headers).end(json)
}

function bareResponse(code: HttpErrorCode, requestId: string) {
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
