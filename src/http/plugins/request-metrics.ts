import fastifyPlugin from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { UNKNOWN_ROUTE, type AnsweredRequest, type RequestMetrics } from '../../metrics/request-metrics.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** It waits for something to happen, so that how long it takes says nothing of the service. */
    isHeld: boolean
    isCounted: boolean
    /** Counts a stream as it begins: the end of most is that their reader is gone, which no hook is told of. */
    countStream(): void
  }
}

export interface RequestMetricsOptions {
  readonly requests: RequestMetrics
}

/** Every answer is counted, and those that were given as soon as could be are timed. */
export const requestMetrics = fastifyPlugin<RequestMetricsOptions>(
  (app, { requests }, done) => {
    app.decorateReply('isHeld', false)
    app.decorateReply('isCounted', false)
    app.decorateReply('countStream', function () {
      this.isCounted = true
      requests.count(answered(this.request, this))
    })
    app.addHook('onResponse', (request, reply, next) => {
      if (!reply.isCounted) {
        const answer = answered(request, reply)
        requests.count(answer)
        if (!reply.isHeld) requests.time(answer, reply.elapsedTime / 1000)
      }
      next()
    })
    done()
  },
  { name: 'request-metrics', fastify: '5.x' },
)

function answered({ method, routeOptions }: FastifyRequest, { statusCode: status }: FastifyReply): AnsweredRequest {
  return { method, route: routeOptions.url ?? UNKNOWN_ROUTE, status }
}
