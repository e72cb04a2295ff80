import { type Comparison, P99_SLICE_SECONDS, serving, WARM_UP_SECONDS } from '../against/comparison.js'
import { warmUp } from '../against-baseline.js'
import { createRunning, UPDATE } from '../load/campaign.js'
import type { Load } from '../load/load.js'
import { measure } from '../load/measure.js'
import { CONNECTIONS } from '../load/workload.js'
import { atMost, P99, ratioOf, type Row, SECONDS } from '../row.js'
import { startCampaignd } from '../services/child.js'

const WRITERS = 64
const N = 10_000
const name = 'progress-p99'
const title = `p99 of GET progress, ${CONNECTIONS} at once, while ${WRITERS} writers write, N = ${N}`

export const progressUnderWrites: Row = {
  lines: [{ name, title: `${title}, against the same without`, goal: atMost(4) }],
  measure: async (directory) => {
    await using server = await startCampaignd(directory)
    const { reads, updates } = await prepare(server.url)
    await warmUp(reads, updates)
    const finding = await ratioOf(
      () => readWhileWritten(reads, updates),
      () => measure(reads),
      P99,
    )
    return [finding]
  },
}

export const progressOfBuilds: Comparison = {
  lines: [{ name, title, better: 'less', words: P99.words }],
  open: serving(async ({ url }) => {
    const { reads, updates } = await prepare(url)
    const during = (seconds: number) => readWhileWritten({ ...reads, seconds }, { ...updates, seconds })
    return {
      warmUp: () => during(WARM_UP_SECONDS),
      slice: async () => [P99.of(await during(P99_SLICE_SECONDS))],
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
  const [read] = await Promise.all([measure(reads), measure(updates)])
  return read
}
