import type { FastifyRequest } from 'fastify'
import { networkOf } from '../connections/network.ts'
import type { Limits } from '../limits.ts'
import { HttpError } from '../problems/problem.ts'
import { ANONYMOUS } from './authentication.ts'
import type { Guard } from './guard.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Not rate limited: for probes. */
    readonly isUnlimited?: boolean
    /** What a worker tells of its run, which may be lost when it is refused for long: limited only for callers that are not known. */
    readonly isOfRun?: boolean
  }
}

const WINDOW = 1000

/**
 * Refuses requests of a caller that sends too many in a second. `@fastify/rate-limit` reads its count in a later turn of the
 * event loop, so of a burst that is too large it refuses all.
 */
export function rateLimit({ rateLimit: limit }: Limits): Guard {
  // Emptied each second, so that it does not grow with the number of callers.
  const counts = new Map<string, number>()
  let end = 0
  return (request, _reply, { isUnlimited = false, isOfRun = false }) => {
    if (isUnlimited || (isOfRun && request.actor !== null)) return null
    const now = performance.now()
    if (now >= end) {
      counts.clear()
      end = now + WINDOW
    }
    const caller = callerOf(request)
    const calls = (counts.get(caller) ?? 0) + 1
    counts.set(caller, calls)
    return calls > limit
      ? new HttpError(
          'too-many-requests',
          `The caller sent more than ${limit} requests in a second (CAMPAIGND_RATE_LIMIT).`,
        )
      : null
  }
}

function callerOf({ actor, ip }: FastifyRequest): string {
  return actor === null || actor === ANONYMOUS ? networkOf(ip) : `token ${actor.name}`
}
