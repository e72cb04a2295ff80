import type { FastifyRequest } from 'fastify'
import { HttpError } from '../problems/problem.ts'
import { ANYBODY } from './authentication.ts'
import type { Guard } from './guard.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** However often it is called: for probes. */
    readonly isUnlimited?: boolean
  }
}

export interface RateLimitOptions {
  /** Requests a second of one token; of one address for calls without a token. */
  readonly rateLimit: number
}

const WINDOW = 1000

/**
 * Refuses calls when one caller makes too many in a second. Counted here and not by `@fastify/rate-limit`: that one reads its
 * count a turn later, so of a burst that is too large it refuses all.
 */
export function rateLimit({ rateLimit: limit }: RateLimitOptions): Guard {
  // Emptied each second, so it never holds more callers than called in one.
  const counts = new Map<string, number>()
  let end = 0
  return (request, _reply, { isUnlimited = false }) => {
    if (isUnlimited) return null
    const now = performance.now()
    if (now >= end) {
      counts.clear()
      end = now + WINDOW
    }
    const caller = callerOf(request)
    const calls = (counts.get(caller) ?? 0) + 1
    counts.set(caller, calls)
    return calls > limit
      ? new HttpError('too-many-requests', `No more than ${limit} requests a second are taken from one caller.`)
      : null
  }
}

function callerOf({ actor, ip }: FastifyRequest): string {
  return actor === null || actor === ANYBODY ? networkOf(ip) : `token ${actor.name}`
}

/** Of IPv6 the first half: in the rest of it one caller has as many addresses as he likes. */
function networkOf(ip: string): string {
  if (!ip.includes(':')) return ip
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1]
  if (mapped !== undefined) return mapped
  const [before = '', after] = ip.split('::')
  const groups = before === '' ? [] : before.split(':')
  const rest = after === undefined || after === '' ? [] : after.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0')
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':')
}
