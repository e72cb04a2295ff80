import type { Load } from '../load/load.js'
import { measure } from '../load/measure.js'
import { checkGood, CONNECTIONS, RATE, type Measure } from '../row.js'
import { SLICE_SECONDS, WARM_UP_SECONDS, type Comparison } from './comparison.js'
import { serving } from './serving.js'

interface LoadRow {
  readonly name: string
  readonly title: string
  readonly connections?: number
  readonly by?: Measure
  /** Creates what the load is put on. */
  readonly prepare: (url: string) => Promise<Pick<Load, 'method' | 'paths' | 'body' | 'known'>>
}

/** The row of one load on both builds; the more of it is answered, the better. */
export function loadComparison({ name, title, connections = CONNECTIONS, by = RATE, prepare }: LoadRow): Comparison {
  return {
    rows: [{ name, title, better: 'more', words: by.words }],
    open: serving(async ({ url }) => {
      const load = { ...(await prepare(url)), url, connections, seconds: SLICE_SECONDS }
      return {
        // By many connections also where one is to be measured: a service is compiled by what it answers.
        warmUp: () => measure({ ...load, connections: CONNECTIONS, seconds: WARM_UP_SECONDS }),
        slice: async () => {
          const result = await measure(load)
          checkGood(result)
          return { [name]: by.of(result) }
        },
      }
    }),
  }
}
