import type { FastifyReply } from 'fastify'
import type { Wait } from '../../live/change-waiter.ts'
import type { Limits } from '../limits.ts'
import { ConcurrencyLimit } from './concurrency-limit.ts'

export function longPollLimit({ maxWaiting }: Limits): ConcurrencyLimit {
  const total = { name: 'CAMPAIGND_MAX_WAITING', value: maxWaiting }
  return new ConcurrencyLimit({ problem: 'too-many-waiting', subject: 'long polls', total })
}

/**
 * Runs a call that may wait: until the time is up or the client disconnects.
 * @param limit acquired while the call waits
 * @param seconds the longest wait
 * @param call gets null when it must not wait
 * @throws HttpError `too-many-waiting`
 */
export async function longPoll<T>(
  reply: FastifyReply,
  limit: ConcurrencyLimit,
  seconds: number,
  call: (wait: Wait | null) => Promise<T>,
): Promise<T> {
  if (seconds === 0) return call(null)
  const stop = new AbortController()
  const end = () => stop.abort()
  const timer = setTimeout(end, seconds * 1000)
  reply.raw.once('close', end)
  let release = (): unknown => undefined
  const onHeld = () => {
    reply.isLongLived = true
    release = limit.acquire(reply.request.ip)
  }
  try {
    return await call({ signal: stop.signal, onHeld })
  } finally {
    release()
    clearTimeout(timer)
    reply.raw.removeListener('close', end)
    end()
  }
}
