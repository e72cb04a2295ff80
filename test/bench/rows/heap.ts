import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { layCampaigns } from '../../support/campaigns/laid-campaigns.js'
import { median } from '../../support/quantiles.js'
import { manifestPath } from '../../support/store/files.js'
import type { Comparison } from '../against/comparison.js'
import { atMost, type Finding, ROUNDS, type Row } from '../row.js'
import { type Held, heldAfterStart } from '../services/child.js'
import { starting } from './starts.js'

const CAMPAIGNS = 10
const N = 10_000

export const heapAgainstFile: readonly Row[] = [row('heap', N), row('heap-100k', 100_000)]

export const heapOfBuilds: Comparison = {
  lines: [
    {
      name: 'heap',
      title: `Heap and buffers of ${CAMPAIGNS} campaigns of ${N} experiments, each`,
      better: 'less',
      words: (figure) => `${figure.toFixed(0)} bytes`,
    },
  ],
  open: starting(CAMPAIGNS, N, async (main, dataDir) => {
    const { heap, buffers } = await heldForCampaigns(dataDir, `${dataDir}-empty`, main)
    return [(heap + buffers) / (CAMPAIGNS * N)]
  }),
}

function row(name: string, n: number): Row {
  const title = `Heap for each experiment, N = ${n}, against its line in the file`
  return { lines: [{ name, title, goal: atMost(4) }], measure: (directory) => measureHeap(directory, n) }
}

async function measureHeap(directory: string, n: number): Promise<Finding[]> {
  const full = join(directory, 'full')
  mkdirSync(full)
  layCampaigns(full, 1, n)
  const line = statSync(manifestPath(full, 'sweep-0')).size / n
  const held: Held[] = []
  for (let round = 0; round < ROUNDS; round += 1) held.push(await heldForCampaigns(full, join(directory, 'empty')))
  const bytes = (of: (one: Held) => number) => (median(held.map(of)) / n).toFixed(0)
  const ours = `${bytes(({ heap }) => heap)} bytes, and ${bytes(({ buffers }) => buffers)} outside of the heap`
  return [{ figures: held.map(({ heap }) => heap / n / line), ours, baseline: `${line.toFixed(0)} bytes` }]
}

/** How much more a build holds on a full data directory than on an empty one. */
async function heldForCampaigns(full: string, empty: string, main?: string): Promise<Held> {
  const [without, all] = [await heldAfterStart(empty, main), await heldAfterStart(full, main)]
  return { heap: all.heap - without.heap, buffers: all.buffers - without.buffers }
}
