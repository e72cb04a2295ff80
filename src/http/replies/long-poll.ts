import type { FastifyReply } from 'fastify'
import type { CampaignFeed } from '../../live/campaign-feed.ts'
import type { Limits } from '../limits.ts'
import { ConcurrencyLimit } from './concurrency-limit.ts'

export interface LongPollOptions {
  readonly feed: CampaignFeed
  /** Acquired for as long as the poll waits. */
  readonly waiting: ConcurrencyLimit
  readonly campaignId: string
  /** The longest wait. */
  readonly seconds: number
}

export function longPollLimit({ maxWaiting }: Pick<Limits, 'maxWaiting'>): ConcurrencyLimit {
  const total = { name: 'CAMPAIGND_MAX_WAITING', value: maxWaiting }
  return new ConcurrencyLimit({ problem: 'too-many-waiting', subject: 'long polls', total })
}

/**
 * Polls now and again after each commit to the campaign, until the result is final, the time is up, the client has gone or the
 * service stops.
 * @param poll is told how many times it was called before
 * @returns the last result
 * @throws HttpError `too-many-waiting`
 */
export async function longPoll<T>(
  reply: FastifyReply,
  { feed, waiting, campaignId, seconds }: LongPollOptions,
  poll: (attempt: number) => Promise<T>,
  isFinal: (result: T) => boolean,
): Promise<T> {
  if (seconds === 0) return poll(0)
  const stop = new AbortController()
  const end = () => {
    stop.abort()
  }
  const timer = setTimeout(end, seconds * 1000)
  reply.raw.once('close', end)
  let release = (): unknown => undefined
  try {
    for (let attempt = 0; ; attempt += 1) {
      // Subscribed before the poll, so that a commit between the two is not missed.
      const changed = feed.next(campaignId, stop.signal)
      const result = await poll(attempt)
      if (isFinal(result)) return result
      reply.isLongLived = true
      if (attempt === 0) release = waiting.acquire(reply.request.ip)
      await changed
      if (stop.signal.aborted || feed.isOver) return result
    }
  } finally {
    release()
    clearTimeout(timer)
    reply.raw.removeListener('close', end)
    end()
  }
}
