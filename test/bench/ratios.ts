import { median } from '../support/quantiles.js'
import type { Finding, Goal, Row } from './row.js'
import { heartbeatsAgainstBare, readsAgainstBare } from './rows/bare.js'
import { campaignsAgainstOne } from './rows/campaigns.js'
import { claimsAgainstPatches } from './rows/claims.js'
import { hollowAgainstEtcd, patchesAgainstEtcd } from './rows/etcd.js'
import { heapAgainstFile } from './rows/heap.js'
import { liveRow } from './rows/live.js'
import { longestBlock } from './rows/longest-block.js'
import { patchesAgainstNaive } from './rows/naive.js'
import { progressUnderWrites } from './rows/progress-under-writes.js'
import { startRow } from './rows/starts.js'
import { leaseSweep } from './rows/sweep.js'
import { inDirectory, type Result, type Table } from './table.js'

const ROWS: readonly Row[] = [
  ...patchesAgainstEtcd,
  ...hollowAgainstEtcd,
  ...patchesAgainstNaive,
  campaignsAgainstOne,
  ...readsAgainstBare,
  progressUnderWrites,
  ...heapAgainstFile,
  startRow,
  claimsAgainstPatches,
  heartbeatsAgainstBare,
  leaseSweep,
  liveRow,
  longestBlock,
]

/**
 * A line for each row: a ratio of two rates that were measured in the same minute, in rounds that alternate, since an absolute
 * figure says more about the machine than about the service; or a cost. What needs something that is not here counts as good.
 */
export const ratios: Table = {
  columns: ['name', 'row', 'median', 'spread', 'goal', 'campaignd', 'baseline'],
  measurements: ROWS.map(({ lines, lacks, measure }) => ({
    lines,
    run: async () => {
      if (lacks !== undefined) return lines.map(() => ({ cells: [`not run: there is no ${lacks}`], isGood: true }))
      const findings = await inDirectory(measure)
      return findings.map((finding, index) => resultOf(finding, lines[index]?.goal ?? null))
    },
  })),
}

function resultOf({ figures, unit = '', ours = '', baseline = '' }: Finding, goal: Goal | null): Result {
  const middle = median(figures)
  const spread = `${round(Math.min(...figures))} to ${round(Math.max(...figures))}`
  const isGood = goal?.isMet(middle) ?? true
  const met = goal === null ? 'none: a limit' : `${goal.words}: ${isGood ? 'met' : 'missed'}`
  return { cells: [`${round(middle)}${unit}`, spread, met, ours, baseline], isGood }
}

/** To three digits. */
function round(figure: number): string {
  return String(Number(figure.toPrecision(3)))
}
