import { createManyRunning, UPDATE } from '../load/campaign.js'
import { startCampaignd } from '../services/child.js'
import { compare } from '../compare.js'
import { CONNECTIONS, SECONDS, type Finding, type Row } from '../row.js'

const CAMPAIGNS = 64
const N = 100

export const patchOverCampaigns: Row = {
  name: 'campaigns',
  title: `PATCH, ${CONNECTIONS} connections over ${CAMPAIGNS} campaigns of N = ${N}, against the same on one`,
  goal: { atLeast: 0.15 },
  measure: measurePatches,
}

async function measurePatches(directory: string): Promise<Finding> {
  const { url, stop } = await startCampaignd(directory)
  try {
    const all = await createManyRunning(url, CAMPAIGNS, N)
    const first = all.filter((_, index) => index % CAMPAIGNS === 0)
    const load = { url, method: 'PATCH', body: UPDATE, connections: CONNECTIONS, seconds: SECONDS } as const
    return await compare({ ...load, paths: all }, { ...load, paths: first })
  } finally {
    await stop()
  }
}
