import { createRunning, UPDATE } from '../load/campaign.js'
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
    const [first = [], ...others] = await createCampaigns(url)
    // One campaign after the other, so that all of them are written at the same time.
    const all = first.flatMap((path, index) => [path, ...others.map((paths) => paths[index] ?? '')])
    const load = { url, method: 'PATCH', body: UPDATE, connections: CONNECTIONS, seconds: SECONDS } as const
    return await compare({ ...load, paths: all }, { ...load, paths: first })
  } finally {
    await stop()
  }
}

/** The paths of the experiments of each. */
async function createCampaigns(url: string): Promise<(readonly string[])[]> {
  const campaigns: (readonly string[])[] = []
  for (let index = 0; index < CAMPAIGNS; index += 1) {
    const { paths } = await createRunning(url, N, { campaignId: `sweep-${index}` })
    campaigns.push(paths)
  }
  return campaigns
}
