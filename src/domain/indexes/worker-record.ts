import type { Run } from '../experiment/run.ts'

/** An ended run, by what orders it among the others of its worker. */
export interface EndedRun extends Pick<Run, 'time' | 'attempt'> {
  /** Of its experiment, in the manifest. */
  readonly position: number
}

/** What is known of the runs of one worker: enough to tell how it ended the newest. */
export interface WorkerRecord {
  readonly runs: number
  /** Those that are alive by a lease. */
  readonly held: number
  /** Milliseconds since 1970: of its newest start or end. */
  readonly seen: number
  /** Its newest runs that ended, as far back as all of them failed: newest last. */
  readonly failures: readonly EndedRun[]
  /** The newest that ended otherwise; null: none, or it is before failures that were left out. */
  readonly other: EndedRun | null
  /** There were more failures than are kept. */
  readonly isCut: boolean
}

/** The failures that are kept: as many as the highest `worker_failure_limit`. */
export const MAX_FAILURES = 1000

const NOTHING: WorkerRecord = { runs: 0, held: 0, seen: 0, failures: [], other: null, isCut: false }

export function withRun(record: WorkerRecord | undefined, position: number, run: Run): WorkerRecord {
  const { runs, held, seen, ...ended } = record ?? NOTHING
  return {
    runs: runs + 1,
    held: held + Number(run.isHeld),
    seen: Math.max(seen, run.time),
    ...(run.state === 'running' ? ended : withEnd(ended, endedRun(position, run), run.state === 'failed')),
  }
}

/**
 * @param isSeen whether the worker was seen at that time or later in another run too
 * @returns null when nothing is left; undefined when what is left cannot be told from the record alone
 */
export function withoutRun(
  record: WorkerRecord,
  position: number,
  run: Run,
  isSeen: boolean,
): WorkerRecord | null | undefined {
  const { runs, held, seen, failures, other, isCut } = record
  if (runs === 1) return null
  if (run.time >= seen && !isSeen) return undefined
  const rest = { runs: runs - 1, held: held - Number(run.isHeld), seen }
  if (run.state === 'running') return { ...rest, failures, other, isCut }
  const end = endedRun(position, run)
  if (run.state === 'ended') return isSame(other, end) ? undefined : { ...rest, failures, other, isCut }
  const left = failures.filter((one) => !isSame(one, end))
  if (isCut && left.length < failures.length) return undefined
  return { ...rest, failures: left, other, isCut }
}

type Ends = Pick<WorkerRecord, 'failures' | 'other' | 'isCut'>

function withEnd(ends: Ends, end: EndedRun, isFailure: boolean): Ends {
  const { failures, other, isCut } = ends
  if (other !== null && order(end, other) < 0) return ends
  const at = failures.findLastIndex((one) => order(one, end) < 0) + 1
  const isBeforeAll = at === 0 && isCut
  if (!isFailure) return isBeforeAll ? ends : { failures: failures.slice(at), other: end, isCut: false }
  if (isBeforeAll) return ends
  const kept = failures.toSpliced(at, 0, end)
  return kept.length > MAX_FAILURES
    ? { failures: kept.slice(1), other: null, isCut: true }
    : { failures: kept, other, isCut }
}

function endedRun(position: number, { time, attempt }: Run): EndedRun {
  return { time, attempt, position }
}

function isSame(a: EndedRun | null, b: EndedRun): boolean {
  return a !== null && order(a, b) === 0
}

/** As for a sort. */
function order(a: EndedRun, b: EndedRun): number {
  return a.time - b.time || a.attempt - b.attempt || a.position - b.position
}
