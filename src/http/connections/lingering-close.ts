import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { discardRest } from './discard-rest.ts'

/** Bytes of an unread body that are read in passing, as Node does by itself: the connection stays open. */
const SHORT_BODY = 64 * 1024

/** How long a connection lingers, in milliseconds: in all, and while nothing arrives. */
const LONGEST = 30_000
const IDLE = 1000

/**
 * Closes a connection so that its client can read the last response, also one that looks for it only when it has sent its body.
 * Closed at once, with bytes of the client under way, it would be reset and the response might be lost; a client that never
 * closes, or sends without end, would keep it for ever.
 */
export function lingeringClose(socket: Socket, longest = LONGEST): void {
  discardRest(socket)
  const timer = setTimeout(() => socket.destroy(), longest).unref()
  socket.once('close', () => {
    clearTimeout(timer)
  })
  socket.setTimeout(IDLE, () => socket.destroy())
  socket.end()
}

/**
 * Makes the response to a request the last one of its connection, which then lingers, if it leaves a body unread.
 * @returns whether it does
 */
export function lingerIfUnread(request: IncomingMessage): boolean {
  if (!leavesBody(request)) return false
  const { socket } = request
  // Node calls it after the last response.
  socket.destroySoon = () => {
    lingeringClose(socket)
  }
  return true
}

function leavesBody({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false
  const length = headers['content-length']
  if (length === undefined) return headers['transfer-encoding'] !== undefined
  // Whoever waits for `100 Continue` may send the body or not: what follows could be the next request.
  return Number(length) > SHORT_BODY || headers.expect !== undefined
}
