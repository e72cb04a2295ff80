import { Counter, Histogram, type Registry } from 'prom-client'

/** The route of what is asked for and is not there: no route is named so, since routes begin with a slash. */
export const UNKNOWN_ROUTE = 'unknown'

/** Seconds: from a read out of memory to a call behind a slow disk. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export interface AnsweredRequest {
  readonly method: string
  /** The template and not the path, of which there is no end. */
  readonly route: string
  readonly status: number
}

/**
 * What was asked and how long it took. No children are kept for label values: prom-client hashes the values of a child at each
 * call as well, so that it takes one microsecond a request with them and without.
 */
export class RequestMetrics {
  private readonly total: Counter<'method' | 'route' | 'status'>
  private readonly duration: Histogram<'method' | 'route'>

  constructor(registry: Registry) {
    const registers = [registry]
    this.total = new Counter({
      name: 'campaignd_http_requests_total',
      help:
        'Requests answered, by method, route template and status; a stream counts when it begins. The route of what is not ' +
        `there is ${UNKNOWN_ROUTE}. What is no HTTP, or was given up by its client, is not counted.`,
      labelNames: ['method', 'route', 'status'],
      registers,
    })
    this.duration = new Histogram({
      name: 'campaignd_http_request_duration_seconds',
      help:
        'Seconds from a request to the end of its answer, by method and route template. Left out are streams, and calls with wait ' +
        'or wait_seconds that had to wait: how long these take says nothing of the service.',
      labelNames: ['method', 'route'],
      buckets: BUCKETS,
      registers,
    })
  }

  count({ method, route, status }: AnsweredRequest): void {
    this.total.inc({ method, route, status })
  }

  time({ method, route }: Omit<AnsweredRequest, 'status'>, seconds: number): void {
    this.duration.observe({ method, route }, seconds)
  }
}
