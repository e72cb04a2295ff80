import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError } from 'fastify'
import { discardRest, isDetached } from '../connections/discard-rest.ts'
import { lingerIfUnread, lingeringClose } from '../connections/lingering-close.ts'
import { type HttpErrorCode, PROBLEMS } from '../problems/catalog.ts'
import { problem, PROBLEM_TYPE } from '../problems/problem.ts'
import { nextRequestId, requestIdOf } from './request-id.ts'
import { RESPONSE_HEADERS } from './response-headers.ts'

/** Errors of Node's parser; each other one is `malformed-request`. Node itself would send responses without a body. */
const CODES: Readonly<Record<string, HttpErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
}

/** Node's parser knows a list of methods. */
const UNKNOWN_METHOD = 'HPE_INVALID_METHOD'
const REQUEST_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ HTTP\/1\.[01]\r?\n/

/** The client closes its side in the middle of a request. */
const CUT_OFF = 'HPE_INVALID_EOF_STATE'

/** Milliseconds that a client has to read the last response and to close: it is no client of HTTP. */
const LINGER = 1000

/** A connection, with the response that Node sends on it now; pipelined ones follow in their order. */
type HttpSocket = Socket & { readonly _httpMessage?: ServerResponse | null }

/** Responds to bytes that are not a request: there is no reply object, only the socket. */
export function respondToClientError(error: ConnectionError, socket: Socket): void {
  const { code } = error
  if (code === 'ECONNRESET') socket.destroy()
  else if (!isDetached(socket)) {
    discardRest(socket)
    afterResponses(socket, () => endWith(problemCode(error), socket))
  } else if (code === CUT_OFF) socket.end()
}

/** A method that Node's parser does not know is no fault of the bytes, if they are a request otherwise. */
function problemCode({ code, bytesParsed, rawPacket }: ConnectionError): HttpErrorCode {
  if (code !== UNKNOWN_METHOD) return CODES[code] ?? 'malformed-request'
  const text = Buffer.from(rawPacket as unknown as Uint8Array).toString('latin1')
  const line = text.slice(text.lastIndexOf('\n', bytesParsed) + 1)
  return REQUEST_LINE.test(line) ? 'unknown-method' : 'malformed-request'
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
  // An earlier response may have closed it.
  if (socket.writable) socket.write(rawResponse(code))
  lingeringClose(socket, LINGER)
}

function rawResponse(code: HttpErrorCode): string {
  const { status, headers, json } = bareResponse(code, nextRequestId())
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${json}`
}

/** CONNECT asks for a tunnel; Node would close the connection without a word. */
export function respondToConnect(_request: IncomingMessage, socket: HttpSocket): void {
  // Those of Node are gone: a response before this one would not be told to go on, nor that its client has left.
  socket.on('error', () => undefined)
  socket.on('drain', () => socket._httpMessage?.emit('drain'))
  socket.on('close', () => socket._httpMessage?.destroy())
  discardRest(socket)
  afterResponses(socket, () => endWith('unknown-method', socket))
}

/** Responds to a request whose header `Expect` is not 100-continue. */
export function respondToExpectation(request: IncomingMessage, response: ServerResponse): void {
  const { status, headers, json } = bareResponse('expectation-failed', requestIdOf(request))
  lingerIfUnread(request)
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
