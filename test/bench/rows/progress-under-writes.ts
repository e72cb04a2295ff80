import { createRunning, UPDATE } from '../campaign.js'
import { measure, startCampaignd } from '../child.js'
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
    const read = () => measure({ ...load, method: 'GET', paths: [`${path}/progress`], connections: CONNECTIONS })
    const write = () => measure({ ...load, method: 'PATCH', paths, body: UPDATE, connections: WRITERS })
    return ratioOf(await inTurn(readWhileWritten, read), P99)

    async function readWhileWritten() {
      const [reads, writes] = await Promise.all([read(), write()])
      checkGood(writes)
      return reads
    }
  } finally {
    await stop()
  }
}
