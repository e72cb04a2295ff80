import { Histogram, type Registry } from 'prom-client'
import { BUCKETS, type RequestCounter } from './request-counter.ts'

type Label = 'method' | 'route' | 'le'
type Values = Awaited<ReturnType<Histogram<Label>['get']>>['values']

/** A histogram for prom-client whose values are counted elsewhere. */
export class RequestDurations extends Histogram<Label> {
  /** For what prom-client reports beside the values. */
  private readonly empty: Histogram<Label>

  constructor(
    private readonly metric: string,
    help: string,
    registry: Registry,
    private readonly counters: () => Iterable<RequestCounter>,
  ) {
    const configuration = { name: metric, help, buckets: [...BUCKETS] }
    super({ ...configuration, labelNames: ['method', 'route'], registers: [registry] })
    this.empty = new Histogram<Label>({ ...configuration, labelNames: ['method', 'route'], registers: [] })
  }

  override async get(): ReturnType<Histogram<Label>['get']> {
    return { ...(await this.empty.get()), values: [...this.counters()].flatMap((counter) => this.valuesOf(counter)) }
  }

  /** The registry calls this on a histogram in place of `get`. */
  getForPromString(): ReturnType<Histogram<Label>['get']> {
    return this.get()
  }

  private valuesOf({ method, route, buckets, seconds }: RequestCounter): Values {
    const labels = { method, route }
    let count = 0
    const values: Values = [...buckets].map((inBucket, index) => {
      count += inBucket
      return { metricName: `${this.metric}_bucket`, labels: { ...labels, le: BUCKETS[index] ?? '+Inf' }, value: count }
    })
    if (count === 0) return []
    return [
      ...values,
      { metricName: `${this.metric}_sum`, labels, value: seconds },
      { metricName: `${this.metric}_count`, labels, value: count },
    ]
  }
}
