import type { FastifyRequest } from 'fastify'
import { HttpError } from '../problems/problem.ts'
import type { Guard } from './guard.ts'

export interface CrossSiteOptions {
  /** Origins whose pages may write. */
  readonly corsOrigins: readonly string[]
}

const READS = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses writes that a browser makes for a page of somebody else: it would send them from within the network, and to a
 * service without tokens that is all it takes. Other clients send neither header.
 */
export function crossSite({ corsOrigins }: CrossSiteOptions): Guard {
  const listed = new Set(corsOrigins)
  return (request) => (READS.has(request.method) || isOurs(request, listed) ? null : refusal(request))
}

function isOurs({ headers }: FastifyRequest, listed: ReadonlySet<string>): boolean {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (origin !== undefined && listed.has(origin)) return true
  // The scheme is not compared: behind a proxy that does TLS, theirs is https and ours http.
  if (origin !== undefined && /^https?:\/\/(.+)$/.exec(origin)?.[1] !== host?.toLowerCase()) return false
  return site === undefined || site === 'same-origin' || site === 'none'
}

function refusal({ headers }: FastifyRequest): HttpError {
  const page = headers.origin === undefined ? 'a page of another site' : `a page of ${headers.origin}`
  return new HttpError(
    'cross-site-refused',
    `A browser makes this call for ${page}. If that page may, list its origin in CAMPAIGND_CORS_ORIGINS; ` +
      'if it is our own, have the proxy before the service pass on Host as it is.',
  )
}
