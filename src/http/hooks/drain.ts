import fastifyPlugin from 'fastify-plugin'
import { HttpError } from '../problems/problem.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** True once the service stops: writes are refused from then on. */
    readonly isDraining: () => boolean
  }
}

export interface DrainOptions {
  /** Called when draining begins, to end long polls, streams and long work. @param refusal what is refused from then on gets it */
  readonly onDrain: (refusal: HttpError) => void
}

/** Ends long polls, streams and long work before the server closes: it would wait for them otherwise. */
export const drain = fastifyPlugin<DrainOptions>(
  (app, { onDrain }, done) => {
    let draining = false
    app.decorate('isDraining', () => draining)
    app.addHook('preClose', (next) => {
      draining = true
      onDrain(new HttpError('draining', 'The service is stopping.'))
      next()
    })
    done()
  },
  { name: 'drain', fastify: '5.x' },
)
