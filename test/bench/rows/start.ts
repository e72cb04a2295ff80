import { residentBytes } from '../../support/memory.js'
import { layCampaigns } from '../../support/campaigns/laid-campaigns.js'
import { median } from '../../support/quantiles.js'
import { call } from '../load/call.js'
import { startCampaignd } from '../services/child.js'
import { ROUNDS, type Finding, type Row } from '../row.js'

const CAMPAIGNS = 1000
const N = 1000
const GIB = 1024 ** 3

const STARTING = `Start with ${CAMPAIGNS} campaigns of ${N} experiments`

interface Start {
  /** From the spawn until it answers that it is ready. */
  readonly seconds: number
  /** Resident bytes then, and the most until then. */
  readonly resident: number
  readonly peak: number
}

let measured: Promise<readonly Start[]> | null = null

/** Two goals of one measurement. */
export const startRows: readonly Row[] = [
  {
    name: 'start',
    title: `${STARTING}: until it is ready`,
    goal: { atMost: 8 },
    measure: async (directory) => {
      const figures = (await starts(directory)).map(({ seconds }) => seconds)
      return { figures, unit: ' s', ours: '', baseline: 'none' }
    },
  },
  {
    name: 'start-memory',
    title: `${STARTING}: resident when it is ready`,
    goal: { atMost: 1 },
    measure: residentAfterStart,
  },
]

async function residentAfterStart(directory: string): Promise<Finding> {
  const rounds = await starts(directory)
  const peak = median(rounds.map(({ peak }) => peak)) / GIB
  const figures = rounds.map(({ resident }) => resident / GIB)
  return { figures, unit: ' GiB', ours: `${peak.toFixed(2)} GiB at most before`, baseline: 'none' }
}

function starts(directory: string): Promise<readonly Start[]> {
  measured ??= measureStarts(directory)
  return measured
}

async function measureStarts(directory: string): Promise<readonly Start[]> {
  layCampaigns(directory, CAMPAIGNS, N)
  const rounds: Start[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now()
    const { url, pid, stop } = await startCampaignd(directory)
    try {
      await call('GET', `${url}/readyz`)
      const seconds = (performance.now() - began) / 1000
      rounds.push({ seconds, resident: residentBytes(pid), peak: residentBytes(pid, 'peak') })
    } finally {
      await stop()
    }
  }
  return rounds
}
