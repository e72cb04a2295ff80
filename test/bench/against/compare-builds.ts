import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inTurn } from '../row.js'
import { MAIN } from '../services/child.js'
import { PAIRS, type ComparedRow, type Comparison, type Figures, type Subject } from './comparison.js'
import { median } from './median.js'
import { medianInterval } from './median-interval.js'
import { claims } from './rows/claims.js'
import { heartbeats, sweep } from './rows/leases.js'
import { live } from './rows/live.js'
import { patches } from './rows/patches.js'
import { progressUnderWrites } from './rows/progress-under-writes.js'
import { reads } from './rows/reads.js'
import { heap, starts } from './rows/starts.js'
import { ratioFor, verdictOf } from './verdict.js'

const COMPARISONS: readonly Comparison[] = [
  ...patches,
  ...reads,
  progressUnderWrites,
  heap,
  starts,
  claims,
  heartbeats,
  sweep,
  live,
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
    const wanted = rows.filter(({ name }) => names.length === 0 || names.includes(name))
    if (wanted.length === 0) continue
    const lines = await linesOf(wanted, () => takePairs(open, theirMain))
    for (const { text, isMet } of lines) {
      console.log(text)
      isGood &&= isMet
    }
  }
  return isGood
}

interface Line {
  readonly text: string
  readonly isMet: boolean
}

async function linesOf(rows: readonly ComparedRow[], measure: () => Promise<Pairs>): Promise<Line[]> {
  try {
    const pairs = await measure()
    return rows.map((row) => lineOf(row, pairs))
  } catch (error) {
    const reason = (error as Error).message.replaceAll('\n', ' ')
    return rows.map(({ name, title }) => ({
      text: `| ${name} | ${title} | not measured: ${reason} | | | | |`,
      isMet: false,
    }))
  }
}

function lineOf({ name, title, better, words }: ComparedRow, pairs: Pairs): Line {
  const figures = (side: 0 | 1) => pairs.map((pair) => pair[side][name] ?? Number.NaN)
  const [ours, theirs] = [figures(0), figures(1)]
  const interval = medianInterval(ours.map((figure, index) => ratioFor(better, figure, theirs[index] ?? Number.NaN)))
  const verdict = verdictOf(interval)
  const range = `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`
  const absolute = `${words(median(ours))} | ${words(median(theirs))}`
  const text = `| ${name} | ${title} | ${interval.middle.toFixed(3)} | ${range} | ${verdict} | ${absolute} |`
  return { text, isMet: verdict !== 'worse' }
}

/** Has both builds run beside each other, each on a directory of its own, and measures one at a time. */
async function takePairs(open: Comparison['open'], theirMain: string): Promise<Pairs> {
  const directory = mkdtempSync(join(tmpdir(), 'campaignd-bench-'))
  const subjects: Subject[] = []
  try {
    const ours = await open(MAIN, join(directory, 'ours'))
    subjects.push(ours)
    const theirs = await open(theirMain, join(directory, 'theirs'))
    subjects.push(theirs)
    for (const subject of subjects) await subject.warmUp()
    return await inTurn(
      () => ours.slice(),
      () => theirs.slice(),
      PAIRS,
    )
  } finally {
    await Promise.all(subjects.map((subject) => subject.close()))
    rmSync(directory, { recursive: true, force: true })
  }
}
