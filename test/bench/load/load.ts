import { text } from 'node:stream/consumers'
import autocannon from 'autocannon'

/**
 * The load, in a process of its own so that it shares no event loop with what it measures. Reads a `Load` as JSON, which is
 * longer than an argument may be; prints a `LoadResult`. Used where there is no wrk, which takes less of the processors: see
 * `wrk.ts`.
 */

export interface Load {
  readonly url: string
  readonly method: 'GET' | 'PATCH' | 'POST'
  /** Paths to go through, round and round. */
  readonly paths: readonly string[]
  /** How many requests in a row go to each path. Default: 1 */
  readonly perPath?: number
  /**
   * `[<id>]` in it is another number each time, always of 16 digits, so that updates change something and nothing grows;
   * `[<key>]`, before that, is the next of the keys.
   */
  readonly body?: string
  /** Gone through round and round. */
  readonly keys?: readonly string[]
  /** A tag for If-None-Match: then 304 is the good answer, and 2xx otherwise. */
  readonly known?: string
  readonly connections: number
  readonly seconds: number
}

/** What is sent, wherever and for however long. */
export type Requests = Omit<Load, 'url' | 'connections' | 'seconds'>

export interface LoadResult {
  /** Good answers, a second. */
  readonly rate: number
  /** Of all answers, a second. */
  readonly bytes: number
  /** Milliseconds. */
  readonly p99: number
  readonly good: number
  readonly bad: number
}

export const ID = '[<id>]'
export const KEY = '[<key>]'

/** Where the ids of a load begin: beyond those of every load before it. */
export function firstId(): number {
  return Date.now() * 1000
}

export function headersOf({ body, known }: Load): Record<string, string> {
  return {
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(known === undefined ? {} : { 'if-none-match': known }),
  }
}

if (process.argv[1] === import.meta.filename) {
  const load = JSON.parse(await text(process.stdin)) as Load
  const { method, paths, perPath = 1, keys = [''], body, known } = load
  const first = firstId()
  let count = 0
  const result = await autocannon({
    url: load.url,
    connections: load.connections,
    duration: load.seconds,
    requests: [
      {
        method,
        headers: headersOf(load),
        setupRequest: (request) => {
          const path = paths[Math.floor(count / perPath) % paths.length] ?? '/'
          const key = keys[count % keys.length] ?? ''
          count += 1
          const filled = body?.replace(KEY, key).replace(ID, String(first + count))
          return { ...request, path, ...(filled === undefined ? {} : { body: filled }) }
        },
      },
    ],
  })
  const answers = result['1xx'] + result['2xx'] + result['3xx'] + result['4xx'] + result['5xx']
  const good = known === undefined ? result['2xx'] : (result.statusCodeStats?.['304']?.count ?? 0)
  const measured: LoadResult = {
    rate: good / result.duration,
    bytes: result.throughput.total / result.duration,
    p99: result.latency.p99,
    good,
    bad: answers - good + result.errors + result.timeouts,
  }
  process.stdout.write(JSON.stringify(measured))
}
