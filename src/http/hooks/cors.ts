import corsOfFastify, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'

export interface CorsOptions {
  /** Origins whose pages may call the service. */
  readonly corsOrigins: readonly string[]
}

/** Permits pages of the listed origins to call the service and read its responses. Tokens come in a header, never in a cookie. */
export const cors = fastifyPlugin<CorsOptions>(
  async (app, { corsOrigins }) => {
    const options: FastifyCorsOptions = {
      origin: [...corsOrigins],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowedHeaders: [
        'Authorization',
        'Content-Type',
        'Idempotency-Key',
        'If-Match',
        'If-None-Match',
        'Last-Event-ID',
        'X-Request-Id',
      ],
      exposedHeaders: ['ETag', 'Location', 'Retry-After', 'Runs-Without-Lease', 'X-Request-Id'],
      maxAge: 600,
      strictPreflight: false,
    }
    await app.register(corsOfFastify, {
      // An OPTIONS that is no preflight is answered as without CORS.
      delegator: ({ headers }: FastifyRequest, decided: (error: null, options: FastifyCorsOptions) => void) => {
        decided(null, { ...options, preflight: headers['access-control-request-method'] !== undefined })
      },
    })
  },
  { name: 'cors', fastify: '5.x' },
)
