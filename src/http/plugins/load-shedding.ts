import type { onRequestHookHandler } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { EventLoopLag } from '../event-loop-lag.ts'
import { HttpError } from '../problem.ts'
import { addRouteHook } from '../route-hook.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered however late the service is: what would be lost without an answer costs more than the answer. */
    readonly isVital?: boolean
  }
}

export interface LoadSheddingOptions {
  /** Milliseconds by which the event loop may be late before reads are refused. */
  readonly maxLag: number
}

/** So many times later writes are refused too. */
const PATIENCE_WITH_WRITES = 4

/**
 * Refuses calls of the routes that follow while the event loop is late, reads before writes: whoever asked too much to look
 * at shall not keep workers from reporting.
 */
export const loadShedding = fastifyPlugin<LoadSheddingOptions>(
  (app, { maxLag }, done) => {
    const lag = new EventLoopLag()
    // Not before: what a start has to do is no lateness that anybody waits through.
    app.addHook('onReady', (ready) => {
      lag.start()
      ready()
    })
    app.addHook('onClose', (_app, closed) => {
      lag.close()
      closed()
    })
    const reads = refuseWhenLater(maxLag)
    const writes = refuseWhenLater(maxLag * PATIENCE_WITH_WRITES)
    app.addHook('onRoute', (route) => {
      if (route.config?.isVital === true) return
      const isRead = [route.method].flat().every((method) => method === 'GET' || method === 'HEAD')
      addRouteHook(route, isRead ? reads : writes)
    })
    done()

    function refuseWhenLater(milliseconds: number): onRequestHookHandler {
      return (_request, _reply, next) => {
        next(lag.milliseconds > milliseconds ? new HttpError('overloaded', 'The service is late.') : undefined)
      }
    }
  },
  { name: 'load-shedding', fastify: '5.x' },
)
