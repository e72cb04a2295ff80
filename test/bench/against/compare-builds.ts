import { join } from 'node:path'
import { median } from '../../support/quantiles.js'
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
import { inDirectory, type Result, type Table } from '../table.js'
import { type ComparedLine, type Comparison, type Figures, loadComparison, PAIRS } from './comparison.js'
import { medianInterval, ratioFor, verdictOf } from './median-interval.js'

const WORKLOADS: readonly Workload[] = [
  ...[1, 64, 256].map((connections) => patches(`patch-${connections}`, connections, 100)),
  ...[1, 64, 256].map((connections) => patches(`patch-${connections}-10k`, connections, 10_000)),
  ...[patchesOverCampaigns, progress, notModified, manifest, page, heartbeats],
]

const COMPARISONS: readonly Comparison[] = [
  ...WORKLOADS.map(loadComparison),
  ...[progressOfBuilds, heapOfBuilds, startsOfBuilds, claimsOfBuilds, sweepOfBuilds, liveOfBuilds],
]

/** A line for each row that compares this build with another one. */
export function comparisonsWith(theirMain: string): Table {
  return {
    columns: ['name', 'row', 'ratio', '95 % interval', 'verdict', 'this build', 'the other'],
    measurements: COMPARISONS.map(({ lines, open }) => ({
      lines,
      run: async () => {
        const pairs = await inDirectory((directory) => takePairs(open, theirMain, directory))
        return lines.map((line, index) => resultOf(line, index, pairs))
      },
    })),
  }
}

type Pairs = readonly (readonly [ours: Figures, theirs: Figures])[]

function resultOf({ better, words }: ComparedLine, index: number, pairs: Pairs): Result {
  const figures = (side: 0 | 1) => pairs.map((pair) => pair[side][index] ?? Number.NaN)
  const [ours, theirs] = [figures(0), figures(1)]
  const interval = medianInterval(ours.map((figure, pair) => ratioFor(better, figure, theirs[pair] ?? Number.NaN)))
  const verdict = verdictOf(interval)
  const range = `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`
  const cells = [interval.middle.toFixed(3), range, verdict, words(median(ours)), words(median(theirs))]
  return { cells, isGood: verdict !== 'worse' }
}

/** Has both builds run beside each other, each on a directory of its own, and measures one at a time. */
async function takePairs(open: Comparison['open'], theirMain: string, directory: string): Promise<Pairs> {
  await using ours = await open(MAIN, join(directory, 'ours'))
  await using theirs = await open(theirMain, join(directory, 'theirs'))
  for (const { warmUp, slice } of [ours, theirs]) await (warmUp ?? slice)()
  return await inTurn(
    () => ours.slice(),
    () => theirs.slice(),
    PAIRS,
  )
}
