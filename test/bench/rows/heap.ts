import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { manifestPath } from '../../support/store/files.js'
import { layCampaigns } from '../../support/campaigns/laid-campaigns.js'
import { median } from '../../support/quantiles.js'
import type { Held } from '../services/heap-probe.js'
import { ROUNDS, type Finding, type Row } from '../row.js'

const PROBE = fileURLToPath(new URL('../services/heap-probe.ts', import.meta.url))

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
  layCampaigns(directory, 1, n)
  const lines = readFileSync(manifestPath(directory, 'sweep-0'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"exp_id"'))
  if (lines.length !== n) throw new Error(`the file has ${lines.length} lines of experiments`)
  const line = lines.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0) / n
  const held: Held[] = []
  for (let round = 0; round < ROUNDS; round += 1) held.push(await probe(directory))
  const bytes = (of: (one: Held) => number) => (median(held.map(of)) / n).toFixed(0)
  return {
    figures: held.map(({ heap }) => heap / n / line),
    unit: '',
    ours: `${bytes(({ heap }) => heap)} bytes, and ${bytes(({ buffers }) => buffers)} outside of the heap`,
    baseline: `${line.toFixed(0)} bytes`,
  }
}

async function probe(directory: string): Promise<Held> {
  const args = ['--expose-gc', '--import', 'tsx', PROBE, directory]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as Held
}
