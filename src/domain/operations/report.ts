import { isDeepStrictEqual } from 'node:util'
import type { Campaign, Decision } from '../campaign/campaign.ts'
import { DomainError } from '../errors.ts'
import { newestClosed, requeue, startAttempt } from '../experiment/attempt.ts'
import { recounted, usedBy } from '../experiment/budgets.ts'
import { isLeftOf, keepTail, MAX_ERROR_BYTES } from '../experiment/error-text.ts'
import { copyOfExperiment, type Experiment, OUTCOME_KEYS } from '../experiment/experiment.ts'
import {
  holderOf,
  namedAttempt,
  refusal,
  requireCurrentAttempt,
  requireOwner,
  staleAttempt,
} from '../experiment/fence.ts'
import type { ExperimentStatus } from '../experiment/status.ts'
import type { Origin } from './origin.ts'
import { type ExperimentReport, readReport } from './report-request.ts'
import { isRepeatedStop, type Step, stepOf } from './report-step.ts'

/** What a report is decided on beside its experiment. */
export interface Moment extends Origin {
  /** That the decision makes. */
  readonly revision: number
  /** IANA name, for times without an offset. */
  readonly timezone: string
  /** Of the campaign. */
  readonly uid: string
  /** The campaign is paused, and has told its workers to stop. */
  readonly isCancelling: boolean
}

export type ReportOrigin = Pick<Moment, 'now' | 'actor' | 'timezone'>

export function momentOf({ header, nextRevision }: Campaign, { now, actor, timezone }: ReportOrigin): Moment {
  const { uid, cancel_running } = header
  return { now, actor, timezone, uid, revision: nextRevision, isCancelling: cancel_running }
}

/**
 * Applies a report to one experiment of a campaign.
 *
 * @returns the experiment after it; no changes when the report repeats what is known
 * @throws DomainError `experiment-not-found`, and what `applyReport` throws
 */
export function updateExperiment(
  campaign: Campaign,
  expId: string,
  report: ExperimentReport,
  origin: ReportOrigin,
): Decision<Experiment> {
  const before = findExperiment(campaign, expId)
  const after = applyReport(before, report, momentOf(campaign, origin))
  if (after === before) return { changes: null, result: before }
  const changes = { at: origin.now, changed: [after] }
  const next = campaign.revise(changes)
  return { changes, next, result: next.campaign.get(expId) ?? after }
}

/** @throws DomainError `experiment-not-found` */
export function findExperiment(campaign: Campaign, expId: string): Experiment {
  const experiment = campaign.get(expId)
  if (experiment === undefined) {
    throw new DomainError('experiment-not-found', `Campaign ${campaign.header.campaign_id} has no experiment ${expId}.`)
  }
  return experiment
}

/**
 * The experiment after a report; the same value when the report changes nothing.
 * @throws DomainError `invalid`, or with the current experiment `stale-attempt`, `already-running`, `not-the-owner` or
 *   `transition-refused`
 */
export function applyReport(before: Experiment, input: ExperimentReport, moment: Moment): Experiment {
  const given = readReport(input, before, moment.timezone)
  const report = given.run_id === undefined ? given : byAttempt(given, before, moment.uid)
  if (isRepeatedStop(before, report)) return before
  const step = stepOf(before, report, moment.isCancelling)
  refuseStaleAttempt(before, report, step)
  refuseOtherWorker(before, report, step)
  if (step === 'refused') throw transitionRefused(before, report)
  const reported = withFields(advance(before, report, step, moment.now), report)
  if (before.status === 'failed' && reported.status === 'failed') {
    Object.assign(reported, recounted(reported, before.failure_kind, reported.failure_kind))
  }
  const after = step === 'stop' ? requeue({ ...reported, actor: moment.actor }, moment.now, 'pause') : reported
  if (!OUTCOME_KEYS.some((key) => isChanged(before, after, key))) return before
  if (before.status === 'completed') refuseAllButResult(before, after)
  after.revision = moment.revision
  after.actor = moment.actor
  return after
}

/** The same report, with the attempt that its run_id names. @throws DomainError `stale-attempt` */
function byAttempt({ run_id, ...named }: ExperimentReport, before: Experiment, uid: string): ExperimentReport {
  const attempt = namedAttempt(before, uid, { run_id, attempt: named.attempt })
  return attempt === undefined ? named : { ...named, attempt }
}

function refuseStaleAttempt(before: Experiment, { attempt }: ExperimentReport, step: Step): void {
  if (attempt === undefined || step === 'reopen') return
  const starts = step === 'start' || step === 'start-and-finish'
  if (!starts) requireCurrentAttempt(before, attempt)
  else if (attempt !== before.attempt + 1) {
    const ended = attempt === before.attempt ? 'that one has ended, and ' : ''
    throw staleAttempt(before, attempt, `${ended}the next one to start is ${before.attempt + 1}`)
  }
}

/**
 * An attempt belongs to one worker. A start may be repeated by the worker that made it, naming the attempt or itself;
 * two workers that both mean to start attempt 1 must not both be told that they did.
 */
function refuseOtherWorker(before: Experiment, report: ExperimentReport, step: Step): void {
  const { worker, attempt, status } = report
  if (before.status === 'running' && status === 'running') {
    // The number of the attempt is proof enough. Without it the name must be that of the worker which started it, or none.
    const provesAttempt = attempt !== undefined && worker === undefined
    if (provesAttempt || (worker ?? null) === before.worker) return
    const since = before.started_at === null ? '' : ` since ${before.started_at}`
    const detail = `Experiment ${before.exp_id} is run by ${holderOf(before)}${since}, as attempt ${before.attempt}.`
    throw refusal(before, 'already-running', detail)
  }
  if (step === 'reopen') requireOwner(reopened(before), worker, before)
  else if (step === 'finish' || step === 'same' || before.status === 'running') requireOwner(before, worker)
}

const HINTS: Partial<Record<ExperimentStatus, string>> = {
  completed: 'To run it again, post it to retry with include_completed.',
  failed: 'Start it again first, by status running.',
}

function transitionRefused(before: Experiment, { status }: ExperimentReport): DomainError {
  const hint = HINTS[before.status] ?? 'Put it back to pending first.'
  const detail = `Experiment ${before.exp_id} is ${before.status}: it cannot become ${status}. ${hint}`
  return refusal(before, 'transition-refused', detail)
}

const RESULT: readonly (keyof Experiment)[] = ['result_path', 'metrics']

function refuseAllButResult(before: Experiment, after: Experiment): void {
  const other = OUTCOME_KEYS.find((key) => !RESULT.includes(key) && isChanged(before, after, key))
  if (other === undefined) return
  const detail = `Experiment ${before.exp_id} is completed: it takes a later result_path and metrics, but no other ${other}.`
  throw refusal(before, 'transition-refused', detail)
}

/** Most fields are the same value, so that is compared first. */
function isChanged(before: Experiment, after: Experiment, key: keyof Experiment): boolean {
  return after[key] !== before[key] && !isDeepStrictEqual(after[key], before[key])
}

/** The transition without the fields of the report. */
function advance(before: Experiment, report: ExperimentReport, step: Step, now: string): Experiment {
  switch (step) {
    case 'start':
      return startAttempt(before, now)
    case 'start-and-finish':
      return finish({ ...startAttempt(before, now), started_at: null }, report, now)
    case 'finish':
      return finish(before, report, now)
    case 'stop':
      return ended(before, report, now)
    case 'reopen':
      return finish(reopened(before), report, now)
    case 'skip':
      return skip(before, now)
    case 'requeue':
      return requeue(before, now, 'requeue')
    case 'same':
    case 'refused':
      return before
  }
}

/** A failure counts once: that of a lost attempt was counted when its lease ran out. */
function finish(before: Experiment, report: ExperimentReport, now: string): Experiment {
  const after = ended(before, report, now)
  return after.status === 'failed' && before.failure_kind !== 'lost'
    ? { ...after, ...usedBy(before, after.failure_kind) }
    : after
}

function ended(before: Experiment, { status, failure_kind }: ExperimentReport, now: string): Experiment {
  // A lost attempt that reports was not lost: the server's error text goes.
  const error = before.failure_kind === 'lost' ? null : before.error
  const after = { ...before, completed_at: now, lease: null, error }
  if (status === 'failed') return { ...after, status, failure_kind: failure_kind ?? 'error' }
  return { ...after, status: 'completed', failure_kind: null }
}

/** As it was while its newest attempt ran, which is recorded no more. */
function reopened(before: Experiment): Experiment {
  const closed = newestClosed(before)
  if (closed === undefined) return before
  const { worker, result_path, metrics, started_at } = closed
  return { ...before, worker, result_path, metrics, started_at, attempts: before.attempts.slice(0, -1) }
}

/** Skipping ends a running attempt, and leaves the record of an ended one. */
function skip(before: Experiment, now: string): Experiment {
  const completed_at = before.status === 'running' ? now : before.completed_at
  return { ...before, status: 'skipped', completed_at, failure_kind: null, lease: null }
}

/** Always a new value. Fields are assigned one by one: to spread an object of them takes twice as long. */
function withFields(experiment: Experiment, report: ExperimentReport): Experiment {
  const { worker, error, result_path, metrics, failure_kind, started_at, completed_at, lease_seconds } = report
  const after = copyOfExperiment(experiment)
  const isRun = after.status !== 'pending' && after.status !== 'skipped'
  if (worker !== undefined && isRun) after.worker = worker
  if (error !== undefined) after.error = errorAfter(after.error, error)
  // A first report of completion that is repeated must not remove what came later.
  const isCompleted = after.status === 'completed'
  if (result_path !== undefined && !(isCompleted && result_path === null)) after.result_path = result_path
  if (metrics !== undefined && !(isCompleted && metrics === null)) after.metrics = metrics
  if (failure_kind !== undefined) after.failure_kind = failure_kind
  if (started_at !== undefined) after.started_at = started_at
  if (completed_at !== undefined) after.completed_at = completed_at
  if (lease_seconds !== undefined) {
    // In the order of the file.
    const { claim_id = null, claimed_at = null } = after.lease ?? {}
    after.lease = { seconds: lease_seconds, claim_id, claimed_at }
  }
  return after
}

/** A repeated report must not bring back what was cut of its error since. */
function errorAfter(before: string | null, reported: string | null): string | null {
  if (reported === null) return null
  return before !== null && isLeftOf(reported, before) ? before : keepTail(reported, MAX_ERROR_BYTES)
}
