import { createRunning, UPDATE } from '../load/campaign.js'
import { measure } from '../load/measure.js'
import { startCampaignd } from '../services/child.js'
import { warmUp } from '../compare.js'
import { checkGood, CONNECTIONS, inTurn, P99, ratioOf, SECONDS, type Finding, type Row } from '../row.js'

const WRITERS = 64
const N = 10_000

export const progressUnderWrites: Row = {
  name: 'progress-p99',
  title: `p99 of GET progress, ${CONNECTIONS} connections, while ${WRITERS} writers write, N = ${N}, against the same without`,
  goal: { atMost: 4 },
  measure: measureReads,
}

async function measureReads(directory: string): Promise<Finding> {
  const { url, stop } = await startCampaignd(directory)
  try {
    const { path, paths } = await createRunning(url, N)
    const load = { url, seconds: SECONDS }
    const reads = { ...load, method: 'GET', paths: [`${path}/progress`], connections: CONNECTIONS } as const
    const updates = { ...load, method: 'PATCH', paths, body: UPDATE, connections: WRITERS } as const
    await warmUp(reads, updates)
    return ratioOf(await inTurn(readWhileWritten, () => measure(reads)), P99)

    async function readWhileWritten() {
      const [read, written] = await Promise.all([measure(reads), measure(updates)])
      checkGood(written)
      return read
    }
  } finally {
    await stop()
  }
}
