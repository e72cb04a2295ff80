import { measure, putOn } from '../load/measure.js'
import { CONNECTIONS, type Workload } from '../load/workload.js'
import type { Measure } from '../row.js'
import { type Server, startCampaignd } from '../services/child.js'
import type { Line } from '../table.js'

/** As few as one, only to see a row run: there is no 95 % interval of fewer than six. */
export const PAIRS = Number(process.env['CAMPAIGND_BENCH_PAIRS'] ?? 11)
/** Of a load on one build. */
export const SLICE_SECONDS = Number(process.env['CAMPAIGND_BENCH_SECONDS'] ?? 1.5)
/** Of a load whose p99 is measured: in a shorter slice that is the figure of a few moments. */
export const P99_SLICE_SECONDS = Math.max(3, SLICE_SECONDS)
export const WARM_UP_SECONDS = Math.ceil(2 * SLICE_SECONDS)

export interface ComparedLine extends Line {
  readonly better: 'more' | 'less'
  readonly words: Measure['words']
}

/** The result of one slice, by the order of the lines. */
export type Figures = readonly number[]

interface Measuring {
  /** Not counted: what it runs is compiled then. Default: a slice. */
  readonly warmUp?: () => Promise<unknown>
  readonly slice: () => Promise<Figures>
}

/** One build of the product, ready to be measured. */
export type Subject = Measuring & AsyncDisposable

/** One measurement of two builds. */
export interface Comparison {
  readonly lines: readonly ComparedLine[]
  /**
   * @param main the entry of a build
   * @param directory an empty one, for what this build keeps
   */
  readonly open: (main: string, directory: string) => Promise<Subject>
}

export const inMebibytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(0)} MiB`

/** A measurement of a service that keeps running. It is stopped when it cannot be prepared. */
export function serving(prepare: (server: Server) => Promise<Measuring>): Comparison['open'] {
  return async (main, directory) => {
    const server = await startCampaignd(directory, main)
    const stop = () => server[Symbol.asyncDispose]()
    try {
      return { ...(await prepare(server)), [Symbol.asyncDispose]: stop }
    } catch (error) {
      await stop()
      throw error
    }
  }
}

/** The row of one load on both builds. */
export function loadComparison({ name, title, connections, by, prepare }: Workload): Comparison {
  return {
    lines: [{ name, title, better: 'more', words: by.words }],
    open: serving(async ({ url }) => {
      const load = { ...(await prepare(url)), url, connections, seconds: SLICE_SECONDS }
      return {
        // By many connections also where one is measured, so that all of it is compiled.
        warmUp: () => putOn({ ...load, connections: CONNECTIONS, seconds: WARM_UP_SECONDS }),
        slice: async () => [by.of(await measure(load))],
      }
    }),
  }
}
