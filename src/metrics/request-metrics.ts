import { Counter, type Registry } from 'prom-client'
import { RequestCounter } from './request-counter.ts'
import { RequestDurations } from './request-durations.ts'

/** The route of requests that match none. No route has this name, since routes begin with a slash. */
export const UNKNOWN_ROUTE = 'unknown'

/**
 * Requests and their durations. Counted in objects of this module and given to prom-client at each scrape: its own counter and
 * histogram hash their labels at every request.
 */
export class RequestMetrics {
  private readonly byRoute = new Map<string, Map<string, RequestCounter>>()

  constructor(registry: Registry) {
    const counters = () => this.counters()
    new Counter({
      name: 'campaignd_http_requests_total',
      help:
        'Requests with a response, by method, route template and status; a stream counts when it begins. The route of a request ' +
        `that matches none is ${UNKNOWN_ROUTE}. Malformed requests, and those that the client aborted, are not counted.`,
      labelNames: ['method', 'route', 'status'],
      registers: [registry],
      collect() {
        this.reset()
        for (const { method, route, responses } of counters()) {
          for (const [status, count] of responses) this.inc({ method, route, status }, count)
        }
      },
    })
    new RequestDurations(
      'campaignd_http_request_duration_seconds',
      'Seconds from a request to its response, by method and route template, without streams and without long polls that ' +
        'waited: how long these take says nothing about the service.',
      registry,
      counters,
    )
  }

  /** @param route the template, not the path: the number of paths has no bound */
  counter(method: string, route: string): RequestCounter {
    let byMethod = this.byRoute.get(route)
    if (byMethod === undefined) this.byRoute.set(route, (byMethod = new Map<string, RequestCounter>()))
    let counter = byMethod.get(method)
    if (counter === undefined) byMethod.set(method, (counter = new RequestCounter(method, route)))
    return counter
  }

  private *counters(): Generator<RequestCounter> {
    for (const byMethod of this.byRoute.values()) yield* byMethod.values()
  }
}
