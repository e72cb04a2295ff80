import type { Row } from './experiment-table.ts'
import { timeOf } from './format.ts'
import { type Mark, markOf } from './mark.ts'

/** One attempt in time. */
export interface Bar {
  readonly expId: string
  readonly attempt: number
  readonly mark: Mark
  readonly start: number
  /** Null: it is still running. */
  readonly end: number | null
}

/** What one container or worker did. */
export interface Lane {
  readonly name: string
  /** Bars that do not overlap, a track below the other, each by start. */
  readonly tracks: readonly (readonly Bar[])[]
}

export const LANE_KEYS = ['container', 'worker'] as const
export type LaneKey = (typeof LANE_KEYS)[number]

const UNNAMED = '(not named)'

/** All attempts whose times are known, by container or by worker, in the order of names. */
export function lanesOf(rows: readonly Row[], key: LaneKey, now: number): Lane[] {
  const lanes = new Map<string, Bar[]>()
  const add = (name: string | null, bar: Bar) => {
    const bars = lanes.get(name ?? UNNAMED) ?? []
    lanes.set(name ?? UNNAMED, bars)
    bars.push(bar)
  }
  for (const row of rows) {
    const { experiment } = row
    for (const past of experiment.attempts) {
      const [start, end] = [timeOf(past.started_at), timeOf(past.completed_at)]
      if (start === null || end === null || end < start) continue
      const bar = { expId: experiment.exp_id, attempt: past.attempt, mark: markOf(past), start, end }
      add(key === 'worker' ? past.worker : experiment.container, bar)
    }
    const bar = currentBar(row)
    if (bar !== null) add(key === 'worker' ? experiment.worker : experiment.container, bar)
  }
  return [...lanes]
    .sort(([a], [b]) => NAMES.compare(a, b))
    .map(([name, bars]) => ({ name, tracks: intoTracks(bars, now) }))
}

const NAMES = new Intl.Collator('en', { numeric: true })

function currentBar({ experiment, mark, start, end }: Row): Bar | null {
  if (start === null || experiment.status === 'pending') return null
  const isRunning = experiment.status === 'running'
  if (!isRunning && (end === null || end < start)) return null
  return { expId: experiment.exp_id, attempt: experiment.attempt, mark, start, end: isRunning ? null : end }
}

/** Each bar into the first track that is free when it starts. */
function intoTracks(bars: readonly Bar[], now: number): Bar[][] {
  const tracks: Bar[][] = []
  const free: number[] = []
  for (const bar of bars.toSorted((a, b) => a.start - b.start)) {
    let at = free.findIndex((from) => from <= bar.start)
    if (at === -1) at = free.length
    free[at] = bar.end ?? now
    const track = tracks[at] ?? []
    tracks[at] = track
    track.push(bar)
  }
  return tracks
}
