import autocannon from 'autocannon'

/**
 * The load, in a process of its own so that it shares no event loop with what it measures. Its argument is a `Load` as
 * JSON; prints a `LoadResult`.
 */

export interface Load {
  readonly url: string
  readonly method: 'GET' | 'PATCH'
  /** Paths to go through, round and round. */
  readonly paths: readonly string[]
  /** `[<id>]` in it is another text each time, so that every update changes something. */
  readonly body?: string
  readonly connections: number
  readonly seconds: number
}

export interface LoadResult {
  /** Answered 2xx, a second. */
  readonly rate: number
  readonly p99: number
  readonly good: number
  readonly bad: number
}

if (process.argv[1] === import.meta.filename) {
  const load = JSON.parse(process.argv[2] ?? '{}') as Load
  const result = await autocannon({
    url: load.url,
    connections: load.connections,
    duration: load.seconds,
    idReplacement: load.body !== undefined,
    requests: load.paths.map((path) => ({
      method: load.method,
      path,
      ...(load.body === undefined ? {} : { body: load.body, headers: { 'content-type': 'application/json' } }),
    })),
  })
  const measured: LoadResult = {
    rate: result['2xx'] / result.duration,
    p99: result.latency.p99,
    good: result['2xx'],
    bad: result.non2xx + result.errors + result.timeouts,
  }
  process.stdout.write(JSON.stringify(measured))
}
