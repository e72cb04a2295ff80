import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsync } from 'fastify'

const FILES = fileURLToPath(new URL('../../dashboard/', import.meta.url))

/** What the page may do: run and show what came with it, and call the service it came from. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The dashboard at `/`. The page is for everybody; what it shows it asks of /v1 like any other client. */
export const dashboardRoutes: FastifyPluginAsync = async (app) => {
  await app.register(fastifyStatic, {
    root: FILES,
    // A route for each file there is: anything else stays the problem `not-found`.
    wildcard: false,
    cacheControl: false,
    setHeaders: (reply, path) => {
      void reply.header('x-content-type-options', 'nosniff')
      void reply.header('cross-origin-resource-policy', 'same-origin')
      // The names of assets have a hash of what they hold in them.
      const isAsset = path.startsWith(`${FILES}assets/`)
      void reply.header('cache-control', isAsset ? 'public, max-age=31536000, immutable' : 'no-cache')
      if (!path.endsWith('.html')) return
      void reply.header('content-security-policy', PAGE_POLICY)
      void reply.header('referrer-policy', 'no-referrer')
    },
  })
}
