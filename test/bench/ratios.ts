import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from '../support/quantiles.js'
import { isMet, ROUNDS, SECONDS, type Finding, type Goal, type Row } from './row.js'
import { claimsAgainstPatches } from './rows/claims-against-patches.js'
import { heapPerExperiment } from './rows/heap.js'
import { hollowAgainstEtcd } from './rows/hollow-against-etcd.js'
import { heartbeatsAgainstBare } from './rows/heartbeats-against-bare.js'
import { leaseSweep } from './rows/lease-sweep.js'
import { liveRows } from './rows/live.js'
import { patchAgainstEtcd } from './rows/patch-against-etcd.js'
import { patchAgainstNaive } from './rows/patch-against-naive.js'
import { patchOverCampaigns } from './rows/patch-over-campaigns.js'
import { progressUnderWrites } from './rows/progress-under-writes.js'
import { readsAgainstBare } from './rows/reads-against-bare.js'
import { startRows } from './rows/start.js'
import { hasWrk } from './load/wrk.js'

/**
 * `npm run bench`, or `npm run bench -- claims sweep` for some rows: each row is a ratio of two rates measured in the same
 * minute, in rounds that alternate, since an absolute figure says more about the machine than about the service; or a
 * cost. Ends with 1 when a row could not be measured or misses its goal, not when what it needs is not here.
 */

const ROWS: readonly Row[] = [
  ...patchAgainstEtcd,
  ...hollowAgainstEtcd,
  ...patchAgainstNaive,
  patchOverCampaigns,
  ...readsAgainstBare,
  progressUnderWrites,
  ...heapPerExperiment,
  ...startRows,
  claimsAgainstPatches,
  heartbeatsAgainstBare,
  leaseSweep,
  ...liveRows,
]

const names = process.argv.slice(2)
const unknown = names.filter((name) => !ROWS.some((row) => row.name === name))
if (unknown.length > 0) {
  console.error(`There is no row ${unknown.join(', ')}. Rows: ${ROWS.map(({ name }) => name).join(', ')}.`)
  process.exit(2)
}

const processors = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`
const tool = hasWrk ? 'wrk' : 'autocannon'
console.log(`node ${process.version}, ${processors}; ${ROUNDS} rounds of ${SECONDS} s; load by ${tool}\n`)
console.log('| name | row | median | spread | goal | campaignd | baseline |')
console.log('| --- | --- | --- | --- | --- | --- | --- |')
for (const row of ROWS) if (names.length === 0 || names.includes(row.name)) await run(row)

async function run({ name, title, goal, lacks, measure }: Row): Promise<void> {
  const label = `${name} | ${title}`
  if (lacks !== undefined) {
    console.log(`| ${label} | not run: there is no ${lacks} | | ${wordsOf(goal)} | | |`)
    return
  }
  const directory = mkdtempSync(join(tmpdir(), 'campaignd-bench-'))
  try {
    report(label, goal, await measure(directory))
  } catch (error) {
    console.log(`| ${label} | not measured: ${(error as Error).message} | | ${wordsOf(goal)} | | |`)
    process.exitCode = 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function report(label: string, goal: Goal | null, { figures, unit, ours, baseline }: Finding): void {
  const middle = median(figures)
  const spread = `${round(Math.min(...figures))} to ${round(Math.max(...figures))}`
  const met = goal === null ? '' : isMet(goal, middle) ? ': met' : ': missed'
  if (met === ': missed') process.exitCode = 1
  console.log(`| ${label} | ${round(middle)}${unit} | ${spread} | ${wordsOf(goal)}${met} | ${ours} | ${baseline} |`)
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
