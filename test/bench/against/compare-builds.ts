import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Workload } from '../load/workload.js'
import { heartbeats, manifest, notModified, page, patches, patchesOverCampaigns, progress } from '../load/workload.js'
import { inTurn } from '../row.js'
import { claimsOfBuilds } from '../rows/claims.js'
import { heapOfBuilds } from '../rows/heap.js'
import { liveOfBuilds } from '../rows/live.js'
import { progressOfBuilds } from '../rows/progress-under-writes.js'
import { startsOfBuilds } from '../rows/starts.js'
import { sweepOfBuilds } from '../rows/sweep.js'
import { MAIN } from '../services/child.js'
import { type ComparedRow, type Comparison, type Figures, loadComparison, PAIRS } from './comparison.js'
import { median, medianInterval } from './median-interval.js'
import { ratioFor, verdictOf } from './verdict.js'

const WORKLOADS: readonly Workload[] = [
  ...[1, 64, 256].map((connections) => patches(`patch-${connections}`, connections, 100)),
  ...[1, 64, 256].map((connections) => patches(`patch-${connections}-10k`, connections, 10_000)),
  ...[patchesOverCampaigns, progress, notModified, manifest, page, heartbeats],
]

const COMPARISONS: readonly Comparison[] = [
  ...WORKLOADS.map(loadComparison),
  ...[progressOfBuilds, heapOfBuilds, startsOfBuilds, claimsOfBuilds, sweepOfBuilds, liveOfBuilds],
]

export const COMPARED_NAMES: readonly string[] = COMPARISONS.flatMap(({ rows }) => rows.map(({ name }) => name))

type Pairs = readonly (readonly [ours: Figures, theirs: Figures])[]

/**
 * Prints a line for each row that compares this build with another one.
 * @returns whether all of them were measured, and none is worse
 */
export async function compareBuilds(theirMain: string, names: readonly string[]): Promise<boolean> {
  console.log('| name | row | ratio | 95 % interval | verdict | this build | the other |')
  console.log('| --- | --- | --- | --- | --- | --- | --- |')
  let isGood = true
  for (const { rows, open } of COMPARISONS) {
    const isWanted = ({ name }: ComparedRow) => names.length === 0 || names.includes(name)
    if (!rows.some(isWanted)) continue
    const lines = await linesOf(rows, () => takePairs(open, theirMain))
    for (const { row, text, isMet } of lines) {
      if (!isWanted(row)) continue
      console.log(text)
      isGood &&= isMet
    }
  }
  return isGood
}

interface Line {
  readonly row: ComparedRow
  readonly text: string
  readonly isMet: boolean
}

async function linesOf(rows: readonly ComparedRow[], measure: () => Promise<Pairs>): Promise<Line[]> {
  try {
    const pairs = await measure()
    return rows.map((row, index) => lineOf(row, index, pairs))
  } catch (error) {
    const reason = (error as Error).message.replaceAll('\n', ' ')
    return rows.map((row) => {
      return { row, text: `| ${row.name} | ${row.title} | not measured: ${reason} | | | | |`, isMet: false }
    })
  }
}

function lineOf(row: ComparedRow, index: number, pairs: Pairs): Line {
  const { name, title, better, words } = row
  const figures = (side: 0 | 1) => pairs.map((pair) => pair[side][index] ?? Number.NaN)
  const [ours, theirs] = [figures(0), figures(1)]
  const interval = medianInterval(ours.map((figure, pair) => ratioFor(better, figure, theirs[pair] ?? Number.NaN)))
  const verdict = verdictOf(interval)
  const range = `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`
  const absolute = `${words(median(ours))} | ${words(median(theirs))}`
  const text = `| ${name} | ${title} | ${interval.middle.toFixed(3)} | ${range} | ${verdict} | ${absolute} |`
  return { row, text, isMet: verdict !== 'worse' }
}

/** Has both builds run beside each other, each on a directory of its own, and measures one at a time. */
async function takePairs(open: Comparison['open'], theirMain: string): Promise<Pairs> {
  const directory = mkdtempSync(join(tmpdir(), 'campaignd-bench-'))
  try {
    await using ours = await open(MAIN, join(directory, 'ours'))
    await using theirs = await open(theirMain, join(directory, 'theirs'))
    for (const subject of [ours, theirs]) await subject.warmUp()
    return await inTurn(
      () => ours.slice(),
      () => theirs.slice(),
      PAIRS,
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
