import { newestClosed, requeue } from '../../experiment/attempt.ts'
import { usedBy } from '../../experiment/budgets.ts'
import { isLeftOf } from '../../experiment/error-text.ts'
import {
  type ClosedBy,
  copyOfExperiment,
  DEFINITION_KEYS,
  type Experiment,
  retryCount,
  sameDefinition,
} from '../../experiment/experiment.ts'
import { compareTimes, formatNaiveTime, parseTime, timeKey } from '../../timestamp.ts'
import type { Origin } from '../origin.ts'

export interface Saving extends Origin {
  /** IANA name of the zone in which the manifest has its times. */
  readonly timezone: string
  /** That the decision makes. */
  readonly revision: number
}

/**
 * Whether ours is as the manifest has it. A `retry_count` that is lower says nothing: the tool does not count a start that it was not
 * told of, and a count never goes back.
 */
export function isAsSaved(ours: Experiment, theirs: Experiment, timezone: string): boolean {
  return (
    ours.status === theirs.status &&
    ours.result_path === theirs.result_path &&
    theirs.retry_count <= ours.retry_count &&
    sameDefinition(ours, theirs) &&
    isSameError(ours.error, theirs.error) &&
    isSameTime(ours.started_at, theirs.started_at, timezone) &&
    isSameTime(ours.completed_at, theirs.completed_at, timezone)
  )
}

/**
 * Ours with the keys of the tool as the manifest has them. An attempt that goes on keeps its number. Any other one is closed, and theirs
 * gets the lowest number that its retry_count and the record allow.
 */
export function savedExperiment(ours: Experiment, theirs: Experiment, saving: Saving): Experiment {
  const { now, actor, timezone, revision } = saving
  const isSameStart = isSameTime(ours.started_at, theirs.started_at, timezone)
  const goesOn = isSameAttempt(ours, theirs, isSameStart)
  const before = goesOn ? ours : requeue(ours, now, closedBy(ours, theirs))
  const attempt = goesOn ? ours.attempt : attemptAfter(before, theirs)
  const isSameRun = goesOn && isSameStart
  const isCounted = isSameRun && ours.status === 'failed'
  const isFailed = theirs.status === 'failed'
  const failure_kind = isFailed && isCounted ? ours.failure_kind : theirs.failure_kind
  return copyOfExperiment({
    ...before,
    ...definitionOf(theirs),
    status: theirs.status,
    result_path: theirs.result_path,
    started_at: isSameStart ? ours.started_at : theirs.started_at,
    completed_at: isSameTime(ours.completed_at, theirs.completed_at, timezone)
      ? ours.completed_at
      : endAfter(isSameStart ? ours.started_at : null, theirs.completed_at, timezone),
    error: isSameError(ours.error, theirs.error) ? ours.error : theirs.error,
    attempt,
    retry_count: retryCount(attempt),
    failure_kind,
    // Measured by a run that it is not the result of.
    metrics: isSameRun ? before.metrics : null,
    lease: null,
    ...(isFailed && !isCounted ? usedBy(before, failure_kind) : {}),
    actor,
    revision,
  })
}

/**
 * Whether the manifest speaks of our current attempt. Not of one that a worker runs: it still has the name of its run, and must not be
 * able to change another result. One that a worker has ended is told by its start. Any other is the tool's own, whatever it says.
 */
function isSameAttempt(ours: Experiment, theirs: Experiment, isSameStart: boolean): boolean {
  const hasCurrent = ours.status !== 'pending' && ours.attempt > 0 && newestClosed(ours) === undefined
  if (!hasCurrent || theirs.status === 'pending' || theirs.attempt > ours.attempt || isInFlight(ours)) return false
  return ours.worker === null || isSameStart
}

/** Whether a worker may still report on its run: one that was skipped under it goes on as well. */
function isInFlight({ status, worker, lease, failure_kind }: Experiment): boolean {
  const mayGoOn = status === 'running' || status === 'skipped'
  return failure_kind === 'lost' || (mayGoOn && (worker !== null || lease !== null))
}

/** As by a report: what goes back to pending has its budgets anew. A result that goes is not wanted any more, also not late. */
function closedBy(ours: Experiment, theirs: Experiment): ClosedBy {
  if (theirs.status !== 'pending' || ours.status === 'pending') return 'start'
  return ours.status === 'completed' ? 'retry' : 'requeue'
}

/** A run that theirs has must come after those that are recorded. */
function attemptAfter({ attempt, attempts }: Experiment, theirs: Experiment): number {
  const hasRun = theirs.status !== 'pending' && theirs.status !== 'skipped'
  const least = (attempts.at(-1)?.attempt ?? 0) + Number(hasRun)
  return Math.max(theirs.attempt, attempt, least)
}

/** Their start, by which the hour was told that comes twice in autumn, is not the one that is kept: an end before that is read anew. */
function endAfter(start: string | null, end: string | null, timezone: string): string | null {
  if (start === null || end === null || compareTimes(end, start) >= 0) return end
  const later = parseTime(formatNaiveTime(end, timezone), { timezone, notBefore: start })
  // Another instant, not the same with other digits.
  return later === undefined || timeKey(later) === timeKey(end) ? end : later
}

function definitionOf(experiment: Experiment): Partial<Experiment> {
  return Object.fromEntries(DEFINITION_KEYS.map((key) => [key, experiment[key]]))
}

/** Whether both are the same text, of which any part at the front was cut. */
function isSameError(ours: string | null, theirs: string | null): boolean {
  if (ours === theirs) return true
  return ours !== null && theirs !== null && isLeftOf(theirs, ours)
}

/** Whether the tool writes both alike: it has microseconds, and the hour that comes twice in autumn once. */
export function isSameTime(ours: string | null, theirs: string | null, timezone: string): boolean {
  if (ours === theirs) return true
  if (ours === null || theirs === null) return false
  const isSameIn = (zone: string) => formatNaiveTime(ours, zone) === formatNaiveTime(theirs, zone)
  return isSameIn('UTC') || (timezone !== 'UTC' && isSameIn(timezone))
}
