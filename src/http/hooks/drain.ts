import fastifyPlugin from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** True once the service stops: writes are refused from then on. */
    readonly isDraining: () => boolean
  }
}

export interface DrainOptions {
  /** Called when draining begins, to end long polls and streams. */
  readonly onDrain: () => void
}

/** Ends long polls and streams before the server closes: it would wait for them otherwise. */
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
