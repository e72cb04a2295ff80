import { DISCARDS, newestClosed } from './attempt.ts'
import type { Experiment, PastAttempt } from './experiment.ts'

/**
 * One attempt of an experiment by a worker that gave its name, in milliseconds since 1970. What was skipped says nothing of its worker,
 * nor does what a retry or another config discarded.
 */
export interface Run {
  readonly worker: string
  readonly attempt: number
  readonly state: 'running' | 'failed' | 'ended'
  /** It is alive by a lease. */
  readonly isHeld: boolean
  /** 0: not known. */
  readonly started: number
  /** 0: not known, or it runs. */
  readonly ended: number
}

type AnyAttempt = Experiment | PastAttempt

/** Whether an attempt ended in a way that its machine may be the cause of. A stop from outside says nothing of it. */
function isFault({ status, failure_kind }: Pick<AnyAttempt, 'status' | 'failure_kind'>): boolean {
  return status === 'failed' && failure_kind !== 'interrupted'
}

/** Whether a worker for which that holds, or one without a name, failed at the experiment. */
export function hasFailedBy(experiment: Experiment, isOne: (worker: string) => boolean): boolean {
  const isIt = (one: AnyAttempt) => isFault(one) && (one.worker === null || isOne(one.worker))
  return isIt(experiment) || experiment.attempts.some(isIt)
}

/** What a change of an experiment did to its runs. */
export interface ChangedRuns {
  readonly gone: readonly Run[]
  readonly come: readonly Run[]
}

const NO_RUNS: readonly Run[] = []
const NONE: ChangedRuns = { gone: NO_RUNS, come: NO_RUNS }

/** The runs of an experiment that are known. */
export function runsOf(experiment: Experiment): readonly Run[] {
  if (experiment.worker === null && experiment.attempts.length === 0) return NO_RUNS
  return namedRuns([...experiment.attempts, ...current(experiment)])
}

/** Whether one of the workers ran it, or runs it. */
export function isRunBy({ worker, attempts }: Experiment, isOne: (worker: string) => boolean): boolean {
  return (worker !== null && isOne(worker)) || attempts.some((past) => past.worker !== null && isOne(past.worker))
}

export function changedRuns(before: Experiment, after: Experiment): ChangedRuns {
  const isUnchanged =
    before.attempts === after.attempts &&
    before.status === after.status &&
    before.worker === after.worker &&
    before.attempt === after.attempt &&
    before.failure_kind === after.failure_kind &&
    before.started_at === after.started_at &&
    before.completed_at === after.completed_at &&
    (before.lease === null) === (after.lease === null)
  if (isUnchanged) return NONE
  const gone = namedRuns(onlyIn(before, after))
  const come = namedRuns(onlyIn(after, before))
  if (gone.length === 0 || come.length === 0) return { gone, come }
  const isNew = (among: readonly Run[]) => (run: Run) => !among.some((one) => isSameRun(one, run))
  return { gone: gone.filter(isNew(come)), come: come.filter(isNew(gone)) }
}

/** Those that are not the very records of the other. */
function onlyIn(experiment: Experiment, other: Experiment): AnyAttempt[] {
  const { attempts } = experiment
  const own = attempts === other.attempts ? [] : attempts.filter((one) => !other.attempts.includes(one))
  return [...own, ...current(experiment)]
}

function current(experiment: Experiment): Experiment[] {
  const { status, attempt } = experiment
  return status === 'pending' || attempt === 0 || newestClosed(experiment) !== undefined ? [] : [experiment]
}

function namedRuns(attempts: readonly AnyAttempt[]): Run[] {
  return attempts.flatMap((one) => (one.worker === null || isVoid(one) ? [] : [runOf(one, one.worker)]))
}

function isVoid(one: AnyAttempt): boolean {
  if (one.status === 'skipped') return true
  return 'closed_by' in one && one.closed_by !== null && DISCARDS.has(one.closed_by)
}

function runOf(one: AnyAttempt, worker: string): Run {
  const state = one.status === 'running' ? 'running' : isFault(one) ? 'failed' : 'ended'
  const isHeld = state === 'running' && 'lease' in one && one.lease !== null
  const ended = state === 'running' ? 0 : msOf(one.completed_at)
  return { worker, attempt: one.attempt, state, isHeld, started: msOf(one.started_at), ended }
}

/** A file that was edited by hand may have a time that no calendar has. */
export function msOf(time: string | null): number {
  const ms = time === null ? 0 : Date.parse(time)
  return Number.isNaN(ms) ? 0 : ms
}

function isSameRun(a: Run, b: Run): boolean {
  return (
    a.attempt === b.attempt &&
    a.worker === b.worker &&
    a.state === b.state &&
    a.started === b.started &&
    a.ended === b.ended &&
    a.isHeld === b.isHeld
  )
}
