import fastifyPlugin from 'fastify-plugin'
import type { Stamp } from '../stamps/stamp.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** For what leaves without Fastify: gives it all the stamps. */
    stamp(): void
  }
}

export interface DispatchOptions {
  readonly stamps: readonly Stamp[]
}

/** Gives every answer its stamps before it is sent. One hook for all of them, as at the gate, which is the other end of a call. */
export const dispatch = fastifyPlugin<DispatchOptions>(
  (app, { stamps }, done) => {
    app.decorateReply('stamp', function () {
      for (const stamp of stamps) stamp(this.request, this)
    })
    app.addHook('onSend', (_request, reply, _payload, next) => {
      reply.stamp()
      next()
    })
    done()
  },
  { name: 'dispatch', fastify: '5.x' },
)
