import type { Run } from '../experiment/run.ts'

/** An ended run, by what orders it among the others of its worker. */
export interface EndedRun {
  /** When it was started, or ended where that is not known: milliseconds since 1970. The service tells the start of a claim. */
  readonly time: number
  /** Of runs that one claim started. */
  readonly ended: number
  readonly attempt: number
  /** Of its experiment, in the manifest. */
  readonly position: number
}

/** What is known of the runs of one worker: enough to tell how it ended the newest, and when it was seen last. */
export interface WorkerRecord {
  readonly runs: number
  /** Those that are alive by a lease. */
  readonly held: number
  /** The newest start, in milliseconds since 1970; 0: none is known. */
  readonly started: number
  /** The position of the experiment that was started then. */
  readonly latest: number
  /** The newest end, likewise. */
  readonly ended: number
  /** Its newest runs that ended, as far back as all of them failed: newest last. */
  readonly failures: readonly EndedRun[]
  /** The newest that ended otherwise; null: none, or it is before failures that were left out. */
  readonly other: EndedRun | null
  /** There were more failures than are kept. */
  readonly isCut: boolean
}

/** The failures that are kept: as many as the highest `worker_failure_limit`. */
export const MAX_FAILURES = 1000

const NOTHING: WorkerRecord = {
  runs: 0,
  held: 0,
  started: 0,
  latest: -1,
  ended: 0,
  failures: [],
  other: null,
  isCut: false,
}

export function withRun(record: WorkerRecord | undefined, position: number, run: Run): WorkerRecord {
  const { runs, held, started, latest, ended, ...ends } = record ?? NOTHING
  const isLatest = run.started > started || (run.started === started && position > latest)
  return {
    runs: runs + 1,
    held: held + Number(run.isHeld),
    started: Math.max(started, run.started),
    latest: isLatest ? position : latest,
    ended: Math.max(ended, run.ended),
    ...(run.state === 'running' ? ends : withEnd(ends, endedRun(position, run), run.state === 'failed')),
  }
}

/**
 * @param come what the same change added
 * @returns null when nothing is left; undefined when what is left cannot be told from the record alone
 */
export function withoutRun(
  record: WorkerRecord,
  position: number,
  run: Run,
  come: readonly Run[],
): WorkerRecord | null | undefined {
  const { runs, held, started, latest, ended, failures, other, isCut } = record
  const own = come.filter(({ worker }) => worker === run.worker)
  if (runs === 1) return null
  if (isNewest('started') || isNewest('ended')) return undefined
  const rest = { runs: runs - 1, held: held - Number(run.isHeld), started, latest, ended }
  if (run.state === 'running') return { ...rest, failures, other, isCut }
  const end = endedRun(position, run)
  if (run.state === 'ended') return isSame(other, end) ? undefined : { ...rest, failures, other, isCut }
  const isStill = own.some((one) => one.state === 'failed' && isSame(endedRun(position, one), end))
  const left = isStill ? failures : failures.filter((one) => !isSame(one, end))
  if (isCut && left.length < failures.length) return undefined
  return { ...rest, failures: left, other, isCut }

  function isNewest(key: 'started' | 'ended'): boolean {
    const isCovered = own.some((one) => one[key] >= run[key])
    // An end that is not known is none; of a start that is not known the position counts.
    return (key === 'started' || run.ended > 0) && run[key] >= record[key] && !isCovered
  }
}

type Ends = Pick<WorkerRecord, 'failures' | 'other' | 'isCut'>

function withEnd(ends: Ends, end: EndedRun, isFailure: boolean): Ends {
  const { failures, other, isCut } = ends
  if (other !== null && order(end, other) < 0) return ends
  const at = failures.findLastIndex((one) => order(one, end) < 0) + 1
  const isBeforeAll = at === 0 && isCut
  if (isBeforeAll) return ends
  if (!isFailure) return { failures: failures.slice(at), other: end, isCut: false }
  if (isSame(failures[at] ?? null, end)) return ends
  const kept = failures.toSpliced(at, 0, end)
  return kept.length > MAX_FAILURES
    ? { failures: kept.slice(1), other: null, isCut: true }
    : { failures: kept, other, isCut }
}

function endedRun(position: number, { started, ended, attempt }: Run): EndedRun {
  return { time: started === 0 ? ended : started, ended, attempt, position }
}

function isSame(a: EndedRun | null, b: EndedRun): boolean {
  return a !== null && order(a, b) === 0
}

/** As for a sort. */
function order(a: EndedRun, b: EndedRun): number {
  return a.time - b.time || a.ended - b.ended || a.attempt - b.attempt || a.position - b.position
}
