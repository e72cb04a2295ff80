import autocannon from 'autocannon'

/**
 * The load, in a process of its own so that it shares no event loop with what it measures. Its argument is a `Load` as
 * JSON; prints a `LoadResult`. Used where there is no wrk, which takes less of the processors: see `wrk.ts`.
 */

export interface Load {
  readonly url: string
  readonly method: 'GET' | 'PATCH' | 'POST'
  /** Paths to go through, round and round. */
  readonly paths: readonly string[]
  /** How many requests in a row go to each path. Default: 1 */
  readonly perPath?: number
  /** `[<id>]` in it is another number each time, always of 16 digits, so that updates change something and nothing grows. */
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

export const ID = '[<id>]'

/** Where the ids of a load begin: beyond those of every load before it. */
export function firstId(): number {
  return Date.now() * 1000
}

if (process.argv[1] === import.meta.filename) {
  const load = JSON.parse(process.argv[2] ?? '{}') as Load
  const { method, paths, perPath = 1, body } = load
  const first = firstId()
  let count = 0
  const result = await autocannon({
    url: load.url,
    connections: load.connections,
    duration: load.seconds,
    requests: [
      {
        method,
        ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' } }),
        setupRequest: (request) => {
          const path = paths[Math.floor(count / perPath) % paths.length] ?? '/'
          count += 1
          return { ...request, path, ...(body === undefined ? {} : { body: body.replace(ID, String(first + count)) }) }
        },
      },
    ],
  })
  const measured: LoadResult = {
    rate: result['2xx'] / result.duration,
    p99: result.latency.p99,
    good: result['2xx'],
    bad: result.non2xx + result.errors + result.timeouts,
  }
  process.stdout.write(JSON.stringify(measured))
}
