import type { FastifyRequest } from 'fastify'
import { HttpError } from '../problems/problem.ts'
import type { Guard } from './guard.ts'

export interface CrossSiteOptions {
  /** Origins whose pages may write. */
  readonly corsOrigins: readonly string[]
}

const READS = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses writes that a browser sends for a page of another site: a service without tokens checks nothing else. Other clients
 * send neither header.
 */
export function crossSite({ corsOrigins }: CrossSiteOptions): Guard {
  const listed = new Set(corsOrigins)
  return (request) => (READS.has(request.method) || isSameSite(request, listed) ? null : refusal(request))
}

function isSameSite({ headers }: FastifyRequest, listed: ReadonlySet<string>): boolean {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (origin !== undefined && listed.has(origin)) return true
  // The scheme is not compared: behind a proxy that ends TLS, the origin has https and the service http.
  if (origin !== undefined && /^https?:\/\/(.+)$/.exec(origin)?.[1] !== host?.toLowerCase()) return false
  return site === undefined || site === 'same-origin' || site === 'none'
}

function refusal({ headers }: FastifyRequest): HttpError {
  const page = headers.origin === undefined ? 'a page of another site' : `a page of ${headers.origin}`
  return new HttpError(
    'cross-site-refused',
    `A browser sends this request for ${page}. To permit that page, add its origin to CAMPAIGND_CORS_ORIGINS; ` +
      'for a page of this service, configure the proxy before it to forward Host unchanged.',
  )
}
