import type { Socket } from 'node:net'
import type { ConnectionError } from 'fastify'
import { STATUS_CODES } from 'node:http'
import { problem, PROBLEM_TYPE } from './problem.ts'
import type { HttpErrorCode } from './problem-catalog.ts'
import { PROBLEMS } from './problem-catalog.ts'

const CODES: Readonly<Record<string, HttpErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
}

/** Answers what is not even a request: there is no reply to answer with, only the socket. */
export function answerClientError(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const code = CODES[error.code] ?? 'malformed-request'
  const body = problem(code, PROBLEMS[code].meaning, '')
  const json = JSON.stringify(body)
  socket.end(
    `HTTP/1.1 ${body.status} ${STATUS_CODES[body.status] ?? ''}\r\n` +
      `Content-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(json)}\r\nConnection: close\r\n\r\n${json}`,
  )
}
