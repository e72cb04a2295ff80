import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { layCampaigns } from '../../support/campaigns/laid-campaigns.js'
import { median } from '../../support/quantiles.js'
import { manifestPath } from '../../support/store/files.js'
import { ROUNDS, type Finding, type Row } from '../row.js'
import { heldAfterStart, type Held } from '../services/child.js'

export const heapPerExperiment: readonly Row[] = [row('heap', 10_000), row('heap-100k', 100_000)]

function row(name: string, n: number): Row {
  return {
    name,
    title: `Heap for each experiment, N = ${n}, against its line in the file`,
    goal: { atMost: 4 },
    measure: (directory) => measureHeap(directory, n),
  }
}

async function measureHeap(directory: string, n: number): Promise<Finding> {
  const [full, empty] = [join(directory, 'full'), join(directory, 'empty')]
  mkdirSync(full)
  layCampaigns(full, 1, n)
  const line = bytesOfLine(full, n)
  const held: Held[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const [without, all] = [await heldAfterStart(empty), await heldAfterStart(full)]
    held.push({ heap: all.heap - without.heap, buffers: all.buffers - without.buffers })
  }
  const bytes = (of: (one: Held) => number) => (median(held.map(of)) / n).toFixed(0)
  return {
    figures: held.map(({ heap }) => heap / n / line),
    unit: '',
    ours: `${bytes(({ heap }) => heap)} bytes, and ${bytes(({ buffers }) => buffers)} outside of the heap`,
    baseline: `${line.toFixed(0)} bytes`,
  }
}

/** In the mean. */
function bytesOfLine(dataDir: string, n: number): number {
  const lines = readFileSync(manifestPath(dataDir, 'sweep-0'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"exp_id"'))
  if (lines.length !== n) throw new Error(`the file has ${lines.length} lines of experiments`)
  return lines.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0) / n
}
