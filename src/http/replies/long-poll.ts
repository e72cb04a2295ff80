import type { FastifyReply } from 'fastify'
import type { Wait } from '../../live/change-waiter.ts'
import { ConcurrencyLimit } from '../connections/concurrency-limit.ts'
import type { Connections } from '../connections/connections.ts'
import type { Limits } from '../limits.ts'
import { unauthorized } from '../problems/access-refusal.ts'

export function longPollLimit({ maxWaiting }: Limits): ConcurrencyLimit {
  const total = { name: 'CAMPAIGND_MAX_WAITING', value: maxWaiting }
  return new ConcurrencyLimit({ problem: 'too-many-waiting', subject: 'long polls', total })
}

export interface LongPollOptions {
  readonly connections: Connections
  /** Of which a place is taken while the call waits. */
  readonly longPolls: ConcurrencyLimit
}

/**
 * Runs a call that may wait: until the time is up, the client disconnects or its token is revoked.
 * @param seconds the longest wait
 * @param call gets null when it must not wait
 * @param hasChanged whether the result tells of a change: that was made while the token permitted it, and is told in any case
 * @throws HttpError `too-many-waiting`, and `unauthorized` when the token was revoked
 */
export async function longPoll<T>(
  reply: FastifyReply,
  { connections, longPolls }: LongPollOptions,
  seconds: number,
  call: (wait: Wait | null) => Promise<T>,
  hasChanged: (result: T) => boolean = () => false,
): Promise<T> {
  if (seconds === 0) return call(null)
  const stop = new AbortController()
  const held = connections.hold(reply)
  held.onEnd(() => stop.abort())
  const timer = setTimeout(() => stop.abort(), seconds * 1000)
  const onHeld = () => {
    reply.isLongLived = true
    held.occupy(longPolls)
  }
  try {
    const result = await call({ signal: stop.signal, onHeld })
    if (held.ended === 'revoked' && !hasChanged(result))
      throw unauthorized(reply, 'The token was revoked while the call waited.')
    return result
  } finally {
    clearTimeout(timer)
    held.end('over')
  }
}
