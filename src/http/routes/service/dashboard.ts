import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsync } from 'fastify'
import { htmlHeaders } from '../../hooks/html-headers.ts'

const FILES = fileURLToPath(new URL('../../../dashboard/', import.meta.url))

/** The dashboard at `/`. The page is for everybody; what it shows it asks of /v1 like any other client. */
export const dashboardRoutes: FastifyPluginAsync = async (app) => {
  await app.register(htmlHeaders, { allowInlineStyles: false })
  await app.register(fastifyStatic, {
    root: FILES,
    // A route for each file there is: anything else stays the problem `not-found`.
    wildcard: false,
    cacheControl: false,
    setHeaders: (reply, path) => {
      // The names of assets have a hash of what they hold in them.
      const isAsset = path.startsWith(`${FILES}assets/`)
      void reply.header('cache-control', isAsset ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
}
