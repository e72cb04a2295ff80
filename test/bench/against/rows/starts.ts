import { join } from 'node:path'
import { residentBytes } from '../../../support/memory.js'
import { call } from '../../load/call.js'
import { createManyRunning } from '../../load/campaign.js'
import { heldAfterStart, startCampaignd } from '../../services/child.js'
import type { Comparison, Figures, Subject } from '../comparison.js'

const CAMPAIGNS = 200
const N = 1000
const STARTING = `Start with ${CAMPAIGNS} campaigns of ${N} experiments`
const HELD_CAMPAIGNS = 10
const HELD_N = 10_000
const MIB = 1024 ** 2

export const starts: Comparison = {
  rows: [
    {
      name: 'start',
      title: `${STARTING}: until it is ready`,
      better: 'less',
      words: (figure) => `${figure.toFixed(2)} s`,
    },
    {
      name: 'start-memory',
      title: `${STARTING}: resident when it is ready`,
      better: 'less',
      words: (figure) => `${(figure / MIB).toFixed(0)} MiB`,
    },
  ],
  open: starting(CAMPAIGNS, N, async (main, dataDir) => {
    const began = performance.now()
    const { url, pid, stop } = await startCampaignd(dataDir, main)
    try {
      await call('GET', `${url}/readyz`)
      return { start: (performance.now() - began) / 1000, 'start-memory': residentBytes(pid) }
    } finally {
      await stop()
    }
  }),
}

export const heap: Comparison = {
  rows: [
    {
      name: 'heap',
      title: `Heap and buffers of ${HELD_CAMPAIGNS} campaigns of ${HELD_N} experiments, each`,
      better: 'less',
      words: (figure) => `${figure.toFixed(0)} bytes`,
    },
  ],
  open: starting(HELD_CAMPAIGNS, HELD_N, async (main, dataDir) => {
    const [empty, full] = [await heldAfterStart(`${dataDir}-empty`, main), await heldAfterStart(dataDir, main)]
    return { heap: (full.heap + full.buffers - empty.heap - empty.buffers) / (HELD_CAMPAIGNS * HELD_N) }
  }),
}

/** A measurement that starts the service each time, on campaigns that the same build has written before. */
function starting(
  campaigns: number,
  n: number,
  slice: (main: string, dataDir: string) => Promise<Figures>,
): Comparison['open'] {
  return async (main, directory): Promise<Subject> => {
    const dataDir = join(directory, 'data')
    const { url, stop } = await startCampaignd(dataDir, main)
    try {
      await createManyRunning(url, campaigns, n)
    } finally {
      await stop()
    }
    const measure = () => slice(main, dataDir)
    return { warmUp: measure, slice: measure, close: async () => undefined }
  }
}
