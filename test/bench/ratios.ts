import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from '../support/quantiles.js'
import { type Finding, type Goal, isMet, type Row } from './row.js'
import { heartbeatsAgainstBare, readsAgainstBare } from './rows/bare.js'
import { campaignsAgainstOne } from './rows/campaigns.js'
import { claimsAgainstPatches } from './rows/claims.js'
import { hollowAgainstEtcd, patchesAgainstEtcd } from './rows/etcd.js'
import { heapAgainstFile } from './rows/heap.js'
import { liveRows } from './rows/live.js'
import { patchesAgainstNaive } from './rows/naive.js'
import { progressUnderWrites } from './rows/progress-under-writes.js'
import { startRows } from './rows/starts.js'
import { leaseSweep } from './rows/sweep.js'

const ROWS: readonly Row[] = [
  ...patchesAgainstEtcd,
  ...hollowAgainstEtcd,
  ...patchesAgainstNaive,
  campaignsAgainstOne,
  ...readsAgainstBare,
  progressUnderWrites,
  ...heapAgainstFile,
  ...startRows,
  claimsAgainstPatches,
  heartbeatsAgainstBare,
  leaseSweep,
  ...liveRows,
]

export const RATIO_NAMES: readonly string[] = ROWS.map(({ name }) => name)

/**
 * Prints a line for each row: a ratio of two rates that were measured in the same minute, in rounds that alternate, since an
 * absolute figure says more about the machine than about the service; or a cost.
 * @returns whether all of them were measured and reach their goal; what needs something that is not here does not count
 */
export async function compareWithBaselines(names: readonly string[]): Promise<boolean> {
  console.log('| name | row | median | spread | goal | campaignd | baseline |')
  console.log('| --- | --- | --- | --- | --- | --- | --- |')
  let isGood = true
  for (const row of ROWS) if (names.length === 0 || names.includes(row.name)) isGood = (await run(row)) && isGood
  return isGood
}

async function run({ name, title, goal, lacks, measure }: Row): Promise<boolean> {
  const label = `${name} | ${title}`
  if (lacks !== undefined) {
    console.log(`| ${label} | not run: there is no ${lacks} | | ${wordsOf(goal)} | | |`)
    return true
  }
  const directory = mkdtempSync(join(tmpdir(), 'campaignd-bench-'))
  try {
    return report(label, goal, await measure(directory))
  } catch (error) {
    console.log(`| ${label} | not measured: ${(error as Error).message} | | ${wordsOf(goal)} | | |`)
    return false
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function report(label: string, goal: Goal | null, { figures, unit, ours, baseline }: Finding): boolean {
  const middle = median(figures)
  const spread = `${round(Math.min(...figures))} to ${round(Math.max(...figures))}`
  const isGood = goal === null || isMet(goal, middle)
  const met = goal === null ? '' : isGood ? ': met' : ': missed'
  console.log(`| ${label} | ${round(middle)}${unit} | ${spread} | ${wordsOf(goal)}${met} | ${ours} | ${baseline} |`)
  return isGood
}

function wordsOf(goal: Goal | null): string {
  if (goal === null) return 'none: a limit'
  if ('atLeast' in goal) return `at least ${goal.atLeast}`
  return 'atMost' in goal ? `at most ${goal.atMost}` : `below ${goal.below}`
}

/** To three digits. */
function round(figure: number): string {
  return String(Number(figure.toPrecision(3)))
}
