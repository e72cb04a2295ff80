import corsOfFastify from '@fastify/cors'
import fastifyPlugin from 'fastify-plugin'

export interface CorsOptions {
  /** Origins whose pages may call the service. */
  readonly corsOrigins: readonly string[]
}

/** Permits pages of the listed origins to call the service and read its responses. Tokens come in a header, never in a cookie. */
export const cors = fastifyPlugin<CorsOptions>(
  async (app, { corsOrigins }) => {
    await app.register(corsOfFastify, {
      origin: [...corsOrigins],
      methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
      allowedHeaders: [
        'Authorization',
        'Content-Type',
        'Idempotency-Key',
        'If-Match',
        'If-None-Match',
        'Last-Event-ID',
        'X-Request-Id',
      ],
      exposedHeaders: ['ETag', 'Location', 'Retry-After', 'X-Request-Id'],
      maxAge: 600,
      strictPreflight: false,
    })
  },
  { name: 'cors', fastify: '5.x' },
)
