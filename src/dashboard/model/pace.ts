import type { Progress } from '../../domain/views/progress.ts'
import type { Row } from './experiment-table.ts'
import { timeOf } from './format.ts'

/** How many of the newest completions the rate is taken from. */
const RECENT = 30

const HOUR = 3_600_000

export interface Pace {
  /** Milliseconds since the first start, or from it to the last end while nothing runs. */
  readonly elapsed: number | null
  /** Completions an hour among the newest. */
  readonly perHour: number | null
}

/** True when nothing changes by itself any more. */
export function hasEnded({ state }: Pick<Progress, 'state'>): boolean {
  return state === 'completed' || state === 'failed'
}

export function paceOf(rows: readonly Row[], progress: Progress, now: number): Pace {
  const started = firstStart(rows)
  const until = progress.counts.running > 0 ? now : lastEnd(rows)
  return {
    elapsed: started === null || until === null || until < started ? null : until - started,
    perHour: progress.counts.running > 0 ? recentRate(rows, now) : wholeRate(rows, started),
  }
}

/** Milliseconds left, below zero when it takes longer than usual; null before there is data. */
export function timeLeft({ eta_seconds, updated_at, state }: Progress, now: number): number | null {
  const from = timeOf(updated_at)
  if (eta_seconds === null || from === null || state === 'paused' || state === 'idle' || state === 'pending')
    return null
  return from + eta_seconds * 1000 - now
}

function firstStart(rows: readonly Row[]): number | null {
  let first = Infinity
  for (const { start, experiment } of rows) {
    if (start !== null && start < first) first = start
    const earlier = timeOf(experiment.attempts[0]?.started_at ?? null)
    if (earlier !== null && earlier < first) first = earlier
  }
  return first === Infinity ? null : first
}

function lastEnd(rows: readonly Row[]): number | null {
  let last = -Infinity
  for (const { end } of rows) if (end !== null && end > last) last = end
  return last === -Infinity ? null : last
}

/** The ends of all that is completed, ascending. */
function completions(rows: readonly Row[]): Float64Array {
  const ends: number[] = []
  for (const { mark, end } of rows) if (mark === 'completed' && end !== null) ends.push(end)
  // A typed array sorts numbers far faster than a list, and every change sorts them.
  return Float64Array.from(ends).sort()
}

function recentRate(rows: readonly Row[], now: number): number | null {
  const recent = completions(rows).slice(-RECENT)
  const [first] = recent
  if (first === undefined || recent.length < 2 || now <= first) return null
  return ((recent.length - 1) / (now - first)) * HOUR
}

function wholeRate(rows: readonly Row[], started: number | null): number | null {
  const ends = completions(rows)
  const last = ends.at(-1)
  if (started === null || last === undefined || last <= started) return null
  return (ends.length / (last - started)) * HOUR
}
