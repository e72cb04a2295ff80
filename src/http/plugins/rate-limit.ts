import rateLimitOfFastify, { normalizeIP } from '@fastify/rate-limit'
import fastifyPlugin from 'fastify-plugin'
import { HttpError } from '../problem.ts'
import { ANYBODY } from './authentication.ts'

export interface RateLimitOptions {
  /** Of one token; of one address for calls without a token. */
  readonly requestsPerSecond: number
}

/** Refuses calls of the routes that follow when one caller makes too many. */
export const rateLimit = fastifyPlugin<RateLimitOptions>(
  async (app, { requestsPerSecond }) => {
    await app.register(rateLimitOfFastify, {
      max: requestsPerSecond,
      timeWindow: 1000,
      keyGenerator: ({ actor, ip }) =>
        actor === null || actor === ANYBODY ? `address ${normalizeIP(ip)}` : `token ${actor.name}`,
      errorResponseBuilder: (_request, { max }) =>
        new HttpError('too-many-requests', `No more than ${max} requests a second are taken from one caller.`),
      addHeaders: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
      addHeadersOnExceeding: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
    })
  },
  { name: 'rate-limit', fastify: '5.x', dependencies: ['authentication'] },
)
