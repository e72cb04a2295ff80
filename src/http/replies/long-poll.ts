import type { FastifyReply } from 'fastify'
import type { CampaignFeed } from '../../live/campaign-feed.ts'
import type { ConcurrencyLimit } from './concurrency-limit.ts'

export interface Holding {
  readonly feed: CampaignFeed
  /** Where it takes one for as long as it waits. */
  readonly waiting: ConcurrencyLimit
  readonly campaignId: string
  /** How long the answer may be held. */
  readonly seconds: number
}

/**
 * Looks now and again after each commit to the campaign, until what it finds is worth an answer, the time is over, the
 * client has gone or the service stops.
 * @param look is told how many times it was called before
 * @returns what was found last
 * @throws HttpError `too-many-waiting`
 */
export async function longPoll<T>(
  reply: FastifyReply,
  { feed, waiting, campaignId, seconds }: Holding,
  look: (times: number) => Promise<T>,
  isEnough: (found: T) => boolean,
): Promise<T> {
  if (seconds === 0) return look(0)
  const over = new AbortController()
  const end = () => {
    over.abort()
  }
  const timer = setTimeout(end, seconds * 1000)
  reply.raw.once('close', end)
  let leave = (): unknown => undefined
  try {
    for (let times = 0; ; times += 1) {
      // Before the look, so that a commit between the two is not missed.
      const changed = feed.next(campaignId, over.signal)
      const found = await look(times)
      if (isEnough(found)) return found
      reply.isHeld = true
      if (times === 0) leave = waiting.acquire(reply.request.ip)
      await changed
      if (over.signal.aborted || feed.isOver) return found
    }
  } finally {
    leave()
    clearTimeout(timer)
    reply.raw.removeListener('close', end)
    end()
  }
}
