import { join } from 'node:path'
import { layCampaigns } from '../../support/campaigns/laid-campaigns.js'
import { residentBytes } from '../../support/memory.js'
import { median } from '../../support/quantiles.js'
import { type Comparison, type Figures, inMebibytes } from '../against/comparison.js'
import { call, createManyRunning } from '../load/campaign.js'
import { atMost, ROUNDS, type Row } from '../row.js'
import { startCampaignd } from '../services/child.js'

const CAMPAIGNS = 1000
/** Fewer, since each build creates them through its API. */
const CREATED_CAMPAIGNS = 200
const N = 1000
const GIB = 1024 ** 3

interface Start {
  /** From the spawn until `/readyz` is 200. */
  readonly seconds: number
  /** Resident bytes then, and the most until then. */
  readonly resident: number
  readonly peak: number
}

const startOf = (campaigns: number) => `Start with ${campaigns} campaigns of ${N} experiments: until it is ready`
const memoryOf = (campaigns: number) => startOf(campaigns).replace('until', 'resident when')

export const startRow: Row = {
  lines: [
    { name: 'start', title: startOf(CAMPAIGNS), goal: atMost(8) },
    { name: 'start-memory', title: memoryOf(CAMPAIGNS), goal: atMost(1) },
  ],
  measure: async (directory) => {
    layCampaigns(directory, CAMPAIGNS, N)
    const rounds: Start[] = []
    for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measureStart(directory))
    const peak = median(rounds.map(({ peak }) => peak)) / GIB
    return [
      { figures: rounds.map(({ seconds }) => seconds), unit: ' s', baseline: 'none' },
      {
        ...{ figures: rounds.map(({ resident }) => resident / GIB), unit: ' GiB', baseline: 'none' },
        ours: `${peak.toFixed(2)} GiB at most before`,
      },
    ]
  },
}

export const startsOfBuilds: Comparison = {
  lines: [
    { name: 'start', title: startOf(CREATED_CAMPAIGNS), better: 'less', words: (figure) => `${figure.toFixed(2)} s` },
    { name: 'start-memory', title: memoryOf(CREATED_CAMPAIGNS), better: 'less', words: inMebibytes },
  ],
  open: starting(CREATED_CAMPAIGNS, N, async (main, dataDir) => {
    const { seconds, resident } = await measureStart(dataDir, main)
    return [seconds, resident]
  }),
}

/** A measurement that starts the service each time, on campaigns that the same build has created before. */
export function starting(
  campaigns: number,
  n: number,
  slice: (main: string, dataDir: string) => Promise<Figures>,
): Comparison['open'] {
  return async (main, directory) => {
    const dataDir = join(directory, 'data')
    await using server = await startCampaignd(dataDir, main)
    await createManyRunning(server.url, campaigns, n)
    return { slice: () => slice(main, dataDir), [Symbol.asyncDispose]: async () => undefined }
  }
}

async function measureStart(dataDir: string, main?: string): Promise<Start> {
  const began = performance.now()
  await using server = await startCampaignd(dataDir, main)
  await call('GET', `${server.url}/readyz`)
  const seconds = (performance.now() - began) / 1000
  return { seconds, resident: residentBytes(server.pid), peak: residentBytes(server.pid, 'peak') }
}
