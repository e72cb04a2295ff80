import { Counter, type Registry } from 'prom-client'
import { RequestDurations } from './request-durations.ts'
import { RequestCounter } from './request-counter.ts'

/** The route of what is asked for and is not there: no route is named so, since routes begin with a slash. */
export const UNKNOWN_ROUTE = 'unknown'

/**
 * What was asked and how long it took. Kept in tallies of our own, which are handed to prom-client when somebody looks: its
 * counter and its histogram, which hash their labels at each call, took 3.5 us of a heartbeat's 49.
 */
export class RequestMetrics {
  private readonly byRoute = new Map<string, Map<string, RequestCounter>>()

  constructor(registry: Registry) {
    const tallies = () => this.tallies()
    new Counter({
      name: 'campaignd_http_requests_total',
      help:
        'Requests answered, by method, route template and status; a stream counts when it begins. The route of what is not ' +
        `there is ${UNKNOWN_ROUTE}. What is no HTTP, or was given up by its client, is not counted.`,
      labelNames: ['method', 'route', 'status'],
      registers: [registry],
      collect() {
        this.reset()
        for (const { method, route, answers } of tallies()) {
          for (const [status, count] of answers) this.inc({ method, route, status }, count)
        }
      },
    })
    new RequestDurations(
      'campaignd_http_request_duration_seconds',
      'Seconds from a request to its answer, by method and route template. Left out are streams, and calls with wait ' +
        'or wait_seconds that had to wait: how long these take says nothing of the service.',
      registry,
      tallies,
    )
  }

  /** @param route the template and not the path, of which there is no end */
  tally(method: string, route: string): RequestCounter {
    let byMethod = this.byRoute.get(route)
    if (byMethod === undefined) this.byRoute.set(route, (byMethod = new Map<string, RequestCounter>()))
    let tally = byMethod.get(method)
    if (tally === undefined) byMethod.set(method, (tally = new RequestCounter(method, route)))
    return tally
  }

  private *tallies(): Generator<RequestCounter> {
    for (const byMethod of this.byRoute.values()) yield* byMethod.values()
  }
}
