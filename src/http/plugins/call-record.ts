import fastifyPlugin from 'fastify-plugin'
import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { UNKNOWN_ROUTE, type RequestMetrics } from '../../metrics/request-metrics.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The call changes nothing that is kept, and comes often: it leaves its line in the log where reads do. */
    readonly isLoggedAsRead?: boolean
  }
  interface FastifyReply {
    /** It waits for something to happen, so that how long it takes says nothing of the service. */
    isHeld: boolean
    isCounted: boolean
    /** Counts a stream as it begins: the end of most is that their reader is gone, which no hook is told of. */
    countStream(): void
  }
}

export interface CallRecordOptions {
  readonly requests: RequestMetrics
  readonly logger: Logger
}

/**
 * What remains of a call: one line in the log, with who made it, changes at info and reads at debug; a count of its answer; and
 * how long that took, unless it had to wait for something.
 */
export const callRecord = fastifyPlugin<CallRecordOptions>(
  (app, { requests, logger }, done) => {
    app.decorateReply('isHeld', false)
    app.decorateReply('isCounted', false)
    app.decorateReply('countStream', function () {
      this.isCounted = true
      requests.tally(this.request.method, this.request.routeOptions.url ?? UNKNOWN_ROUTE).count(this.statusCode)
    })
    app.addHook('onResponse', (request, reply, next) => {
      const { url, config } = request.routeOptions
      if (!reply.isCounted) {
        const tally = requests.tally(request.method, url ?? UNKNOWN_ROUTE)
        tally.count(reply.statusCode)
        if (!reply.isHeld) tally.time(reply.elapsedTime / 1000)
      }
      const level = isRead(request) || config.isLoggedAsRead === true ? 'debug' : 'info'
      // Not by the request's own logger: to make one takes longer than to write the line.
      if (logger.isLevelEnabled(level)) logger[level](lineOf(request, reply.statusCode, reply.elapsedTime), 'answered')
      next()
    })
    done()
  },
  { name: 'call-record', fastify: '5.x' },
)

function isRead({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD'
}

function lineOf({ id, actor, method, url }: FastifyRequest, status: number, elapsed: number): object {
  const milliseconds = Math.round(elapsed * 100) / 100
  return { request_id: id, actor: actor?.name, method, url, status, milliseconds }
}
