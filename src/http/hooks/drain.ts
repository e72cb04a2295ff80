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

/** Makes a close begin with ending what would otherwise be waited for. */
export const drain = fastifyPlugin<DrainOptions>(
  (app, { onDrain }, done) => {
    let draining = false
    app.decorate('isDraining', () => draining)
    app.addHook('preClose', (next) => {
      draining = true
      onDrain()
      next()
    })
    done()
  },
  { name: 'drain', fastify: '5.x' },
)
