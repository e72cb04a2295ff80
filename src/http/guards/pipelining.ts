import type { Socket } from 'node:net'
import { HttpError } from '../problems/problem.ts'
import type { Guard } from './guard.ts'

/** Requests of one connection that may wait for the one whose response is next. */
const MAX_PIPELINED = 64

/**
 * Refuses a client that pipelines without end, once, and then ignores its connection: Node begins all requests that arrive in
 * one chunk before it does anything else, so that a few such connections delay all others.
 */
export function pipelining(): Guard {
  const waiting = new WeakMap<Socket, number>()
  return ({ raw: { socket } }, reply) => {
    // A response gets the socket once those before it are sent: nearly always at once.
    if (reply.raw.socket !== null) return null
    const count = (waiting.get(socket) ?? 0) + 1
    waiting.set(socket, count)
    reply.raw.once('close', () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1))
    if (count <= MAX_PIPELINED) return null
    if (count > MAX_PIPELINED + 1) {
      reply.hijack()
      return null
    }
    reply.header('connection', 'close')
    return new HttpError(
      'too-many-requests',
      `More than ${MAX_PIPELINED} requests of this connection wait for a response.`,
    )
  }
}
