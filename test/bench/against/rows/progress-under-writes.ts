import { createRunning, UPDATE } from '../../load/campaign.js'
import { measure } from '../../load/measure.js'
import { checkGood, CONNECTIONS, P99 } from '../../row.js'
import { SLICE_SECONDS, WARM_UP_SECONDS, type Comparison } from '../comparison.js'
import { serving } from '../serving.js'

const WRITERS = 64
const N = 10_000
const NAME = 'progress-p99'

export const progressUnderWrites: Comparison = {
  rows: [
    {
      name: NAME,
      title: `p99 of GET progress, ${CONNECTIONS} connections, while ${WRITERS} writers write, N = ${N}`,
      better: 'less',
      words: P99.words,
    },
  ],
  open: serving(async ({ url }) => {
    const { path, paths } = await createRunning(url, N)
    const bothLoads = (seconds: number) => {
      const reads = { url, seconds, method: 'GET', paths: [`${path}/progress`], connections: CONNECTIONS } as const
      const updates = { url, seconds, method: 'PATCH', paths, body: UPDATE, connections: WRITERS } as const
      return Promise.all([measure(reads), measure(updates)])
    }
    return {
      warmUp: () => bothLoads(WARM_UP_SECONDS),
      slice: async () => {
        const [read, written] = await bothLoads(SLICE_SECONDS)
        checkGood(read)
        checkGood(written)
        return { [NAME]: P99.of(read) }
      },
    }
  }),
}
