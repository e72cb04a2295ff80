import { type Comparison, P99_SLICE_SECONDS, serving, WARM_UP_SECONDS } from '../against/comparison.js'
import { warmUp } from '../against-baseline.js'
import { createRunning, UPDATE } from '../load/campaign.js'
import type { Load } from '../load/load.js'
import { measure } from '../load/measure.js'
import { CONNECTIONS } from '../load/workload.js'
import { checkGood, inTurn, P99, ratioOf, type Row, SECONDS } from '../row.js'
import { startCampaignd } from '../services/child.js'

const WRITERS = 64
const N = 10_000
const name = 'progress-p99'
const title = `p99 of GET progress, ${CONNECTIONS} at once, while ${WRITERS} writers write, N = ${N}`

export const progressUnderWrites: Row = {
  ...{ name, title: `${title}, against the same without`, goal: { atMost: 4 } },
  measure: async (directory) => {
    await using server = await startCampaignd(directory)
    const { reads, updates } = await prepare(server.url)
    await warmUp(reads, updates)
    const rounds = await inTurn(
      () => readWhileWritten(reads, updates),
      () => measure(reads),
    )
    return ratioOf(rounds, P99)
  },
}

export const progressOfBuilds: Comparison = {
  rows: [{ name, title, better: 'less', words: P99.words }],
  open: serving(async ({ url }) => {
    const { reads, updates } = await prepare(url)
    const during = (seconds: number) => readWhileWritten({ ...reads, seconds }, { ...updates, seconds })
    return {
      warmUp: () => during(WARM_UP_SECONDS),
      slice: async () => {
        const read = await during(P99_SLICE_SECONDS)
        checkGood(read)
        return [P99.of(read)]
      },
    }
  }),
}

async function prepare(url: string) {
  const { path, paths } = await createRunning(url, N)
  const load = { url, seconds: SECONDS }
  const reads: Load = { ...load, method: 'GET', paths: [`${path}/progress`], connections: CONNECTIONS }
  const updates: Load = { ...load, method: 'PATCH', paths, body: UPDATE, connections: WRITERS }
  return { reads, updates }
}

async function readWhileWritten(reads: Load, updates: Load) {
  const [read, written] = await Promise.all([measure(reads), measure(updates)])
  checkGood(written)
  return read
}
