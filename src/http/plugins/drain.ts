import fastifyPlugin from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** True once the service stops: nothing that changes anything is begun any more. */
    readonly isDraining: () => boolean
  }
}

export interface DrainOptions {
  /** Called when draining begins, to end what would otherwise be waited for. */
  readonly onDrain: () => void
}

/** From the beginning of a close on, connections are given up after their answer. */
export const drain = fastifyPlugin<DrainOptions>(
  (app, { onDrain }, done) => {
    let draining = false
    app.decorate('isDraining', () => draining)
    app.addHook('preClose', (next) => {
      draining = true
      onDrain()
      next()
    })
    app.addHook('onSend', (_request, reply, _payload, next) => {
      if (draining) reply.header('connection', 'close')
      next()
    })
    done()
  },
  { name: 'drain', fastify: '5.x' },
)
