import type { Socket } from 'node:net'
import { HttpError } from '../problems/problem.ts'
import type { Guard } from './guard.ts'

/** Requests of one connection that may wait behind the one that is being answered. */
const MOST = 64

/**
 * Refuses who asks on and on without waiting for an answer, once, and then ignores him: Node begins all requests that come in one
 * piece, some thousand in 64 kB, before it does anything else. Without a limit four connections with 5,000 each held up all others
 * for 1.3 s.
 */
export function pipelining(): Guard {
  const waiting = new WeakMap<Socket, number>()
  return ({ raw: { socket } }, reply) => {
    // An answer gets the socket when it is its turn: nearly always at once.
    if (reply.raw.socket !== null) return null
    const count = (waiting.get(socket) ?? 0) + 1
    waiting.set(socket, count)
    reply.raw.once('close', () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1))
    if (count <= MOST) return null
    if (count > MOST + 1) {
      reply.hijack()
      return null
    }
    reply.header('connection', 'close')
    return new HttpError(
      'too-many-requests',
      `No more than ${MOST} requests of a connection are taken before they are answered.`,
    )
  }
}
