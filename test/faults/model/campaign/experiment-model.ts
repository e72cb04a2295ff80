/** What the design says of one experiment, written a second time and otherwise: the service is held against it. */

import { isDeepStrictEqual } from 'node:util'
import type { ClosedBy, Experiment, PastAttempt } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import { readTime } from '../arguments/times.js'
import { counted, countedAnew } from './budget-model.js'
import { Refused } from './refused.js'

const KEPT_ERROR = 8192
const KEPT_PAST_ERROR = 1024
const KEPT_ATTEMPTS = 20
/** Of what is kept of a text that was too long, so much is there for the note. */
const NOTE = 64

/** Which fields a report on the way to a status may give a value. */
const TAKES: Readonly<Record<Experiment['status'], string>> = {
  pending: '',
  running: 'worker result_path error started_at lease_seconds',
  completed: 'worker result_path metrics error started_at completed_at',
  failed: 'worker result_path error failure_kind started_at completed_at',
  skipped: 'result_path error completed_at',
}

/** The steps of the status table of src/http/README.md that are neither refused nor, on the diagonal, the same. */
const STEPS: Readonly<Record<string, Step>> = {
  'pending running': 'start',
  'pending completed': 'start and finish',
  'pending failed': 'start and finish',
  'pending skipped': 'skip',
  'running pending': 'requeue',
  'running completed': 'finish',
  'running failed': 'finish',
  'running skipped': 'skip',
  'failed pending': 'requeue',
  'failed running': 'start',
  'failed skipped': 'skip',
  'lost completed': 'finish',
  'lost failed': 'finish',
  'skipped pending': 'requeue',
}

type Step = 'same' | 'start' | 'start and finish' | 'finish' | 'skip' | 'requeue' | 'none'

/** What closes an attempt because somebody wants it run again: all that went wrong before is forgiven. */
const BY_HAND = ['requeue', 'resume', 'retry', 'config']

/** What closes an attempt without a word against what it may have made. */
const LEAVES_OPEN = ['start', 'requeue', 'resume', 'lease', 'pause']

/** When a report is decided on. */
export interface Moment {
  readonly now: string
  /** Of the campaign, once it changed. */
  readonly revision: number
  /** Its workers were told to stop. */
  readonly cancels: boolean
}

/** The same experiment when the report changes nothing. @throws Refused */
export function reported(found: Experiment, report: ExperimentReport, moment: Moment): Experiment {
  const { now, revision, cancels } = moment
  refuseNonsense(found, report)
  if (isStopAgain(found, report)) return found
  // What comes late is told as if the attempt still ran.
  const before = isLateCompletion(found, report) ? reopened(found) : found
  const step = stepOf(before, report.status)
  const code = refusalOf(before, report, step)
  if (code !== null) throw new Refused(409, code, { experiment: found })
  const told = withFields(taken(before, report, step, now), report)
  if (isDeepStrictEqual(told, found)) return found
  const { result_path, metrics } = before
  if (before.status === 'completed' && !isDeepStrictEqual({ ...told, result_path, metrics }, before)) {
    throw new Refused(409, 'transition-refused', { experiment: found })
  }
  return { ...settled({ ...told, actor: null }, before, report, { now, cancels }), revision }
}

/** A new attempt, of which nothing is known yet. */
export function started(before: Experiment, now: string): Experiment {
  const attempt = before.attempt + 1
  return { ...requeued(before, now, 'start'), status: 'running', attempt, retry_count: attempt - 1, started_at: now }
}

/** Back to pending: nothing of the attempt stays but its record. */
export function requeued(before: Experiment, now: string, by: ClosedBy): Experiment {
  const cleared = { worker: null, lease: null, error: null, failure_kind: null, result_path: null, metrics: null }
  const times = { started_at: null, completed_at: null }
  const forgiven = BY_HAND.includes(by) ? { failures: 0, losses: 0 } : {}
  const attempts = withClosedAttempt(before, now, by)
  return { ...before, ...cleared, ...times, ...forgiven, status: 'pending', attempts }
}

/** The end of a text that is longer than so many bytes, with a note of what was cut, also before. The texts here are ASCII. */
function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text
  const [note = '', before = 0] = /^\[(\d+) bytes cut\]\n/.exec(text) ?? []
  const cut = text.length - (limit - NOTE)
  return `[${Number(before) + cut - note.length} bytes cut]\n${text.slice(cut)}`
}

export function keptError(error: string | null | undefined): string | null {
  return error === undefined || error === null ? null : shortened(error, KEPT_ERROR)
}

/** As what is over keeps it. */
export function keptPastError(error: string | null): string | null {
  return error === null ? null : shortened(error, KEPT_PAST_ERROR)
}

function refuseNonsense(before: Experiment, report: ExperimentReport): void {
  const { status, attempt: _attempt, ...fields } = report
  if (status === undefined && Object.keys(fields).length === 0) throw new Refused(400, 'invalid')
  const takes = TAKES[status ?? before.status].split(' ')
  if (status !== undefined) takes.push('worker')
  const bad = Object.entries(fields).some(([field, value]) => value !== null && !takes.includes(field))
  if (bad) throw new Refused(400, 'invalid')
  for (const time of [report.started_at, report.completed_at]) if (time !== undefined) readTime(time)
}

function stepOf(before: Experiment, to: Experiment['status'] | undefined): Step {
  if (to === undefined) return 'same'
  const from = before.failure_kind === 'lost' ? 'lost' : before.status
  const step = STEPS[`${from} ${to}`] ?? STEPS[`${before.status} ${to}`]
  return step ?? (before.status === to ? 'same' : 'none')
}

/** Why there is no such step now. An attempt is its worker's: a second start of it is no start, and no other worker ends it. */
function refusalOf(before: Experiment, report: ExperimentReport, step: Step): Refused['code'] | null {
  const { worker, attempt } = report
  const starts = step === 'start' || step === 'start and finish'
  const current = starts ? before.attempt + 1 : before.status === 'pending' ? -1 : before.attempt
  if (attempt !== undefined && attempt !== current) return 'stale-attempt'
  if (before.status === 'running' && report.status === 'running') {
    const isNamed = worker === undefined && attempt === before.attempt
    return !isNamed && (worker ?? null) !== before.worker ? 'already-running' : null
  }
  const isOther = worker !== undefined && before.worker !== null && worker !== before.worker
  const isOfAttempt = before.status === 'running' || step === 'finish' || step === 'same'
  if (isOther && isOfAttempt) return 'not-the-owner'
  return step === 'none' ? 'transition-refused' : null
}

/** The closed attempt that is the newest of all. */
function newestClosed({ attempt, attempts }: Experiment): PastAttempt | null {
  const last = attempts.at(-1) ?? null
  return last?.attempt === attempt ? last : null
}

/** An attempt that was closed is said to have completed, and nobody has discarded it or begun another one. */
function isLateCompletion(found: Experiment, { status, attempt }: ExperimentReport): boolean {
  const closed = newestClosed(found)
  if (found.status !== 'pending' || status !== 'completed' || closed === null) return false
  return attempt === found.attempt && LEAVES_OPEN.includes(closed.closed_by ?? '')
}

/** The attempt runs on as it did; whether it did well or badly then is forgotten. */
function reopened(found: Experiment): Experiment {
  const { worker = null, started_at = null, result_path = null, metrics = null } = newestClosed(found) ?? {}
  const attempts = found.attempts.slice(0, found.attempts.length - 1)
  return { ...found, status: 'running', worker, started_at, result_path, metrics, attempts }
}

function isInterruption({ status, failure_kind }: ExperimentReport): boolean {
  return status === 'failed' && failure_kind === 'interrupted'
}

/** The worker says once more that it stopped as it was told to. */
function isStopAgain(found: Experiment, report: ExperimentReport): boolean {
  const closed = newestClosed(found)
  if (found.status !== 'pending' || closed?.closed_by !== 'pause' || !isInterruption(report)) return false
  const isOther = report.worker !== undefined && report.worker !== closed.worker
  return !isOther && (report.attempt === undefined || report.attempt === closed.attempt)
}

/** A failure is counted once, as what it turned out to be; but who stops as told has not failed. */
function settled(
  told: Experiment,
  before: Experiment,
  report: ExperimentReport,
  { now, cancels }: Pick<Moment, 'now' | 'cancels'>,
): Experiment {
  if (cancels && before.status === 'running' && isInterruption(report)) return requeued(told, now, 'pause')
  if (told.status !== 'failed') return told
  return before.status === 'failed' ? countedAnew(told, before.failure_kind) : counted(told)
}

function taken(before: Experiment, { status, failure_kind }: ExperimentReport, step: Step, now: string): Experiment {
  if (step === 'requeue') return requeued(before, now, 'requeue')
  if (step === 'skip') {
    const completed_at = before.status === 'running' ? now : before.completed_at
    return { ...before, status: 'skipped', completed_at, failure_kind: null, lease: null }
  }
  let after = before
  if (step === 'start' || step === 'start and finish') {
    after = started(before, now)
    if (step === 'start and finish') after.started_at = null
  }
  if (step === 'start and finish' || step === 'finish') {
    const error = after.failure_kind === 'lost' ? null : after.error
    const kind = status === 'failed' ? (failure_kind ?? 'error') : null
    after = { ...after, error, completed_at: now, lease: null, failure_kind: kind }
    after.status = status === 'failed' ? 'failed' : 'completed'
  }
  return after
}

function withFields(made: Experiment, report: ExperimentReport): Experiment {
  const after = { ...made }
  const waits = made.status === 'pending' || made.status === 'skipped'
  if (report.worker !== undefined && !waits) after.worker = report.worker
  if (report.error !== undefined) after.error = keptError(report.error)
  // Nothing never takes the result of a completed one away: a first report may be repeated after a later one.
  const isKept = (result: unknown) => result === null && made.status === 'completed'
  if (report.result_path !== undefined && !isKept(report.result_path)) after.result_path = report.result_path
  if (report.metrics !== undefined && !isKept(report.metrics)) after.metrics = report.metrics
  if (report.failure_kind !== undefined) after.failure_kind = report.failure_kind
  if (report.started_at !== undefined) after.started_at = readTime(report.started_at)
  if (report.completed_at !== undefined) after.completed_at = readTime(report.completed_at)
  if (report.lease_seconds !== undefined) {
    const { claim_id = null, claimed_at = null } = made.lease ?? {}
    after.lease = { seconds: report.lease_seconds, claim_id, claimed_at }
  }
  return after
}

/** An attempt is recorded once. One that still runs was interrupted. */
function withClosedAttempt(experiment: Experiment, now: string, closed_by: ClosedBy): PastAttempt[] {
  const { attempt, attempts, status, failure_kind, completed_at } = experiment
  const { worker, actor, error, result_path, metrics, started_at } = experiment
  const recorded = newestClosed(experiment)
  // What is not wanted any more stays so, whoever closed it.
  if (recorded !== null && ['retry', 'config'].includes(closed_by))
    return [...attempts.slice(0, -1), { ...recorded, closed_by }]
  if (status === 'pending' || attempt === 0 || recorded !== null) return attempts
  const common = { attempt, worker, actor, error: keptPastError(error), result_path, metrics, started_at, closed_by }
  const past: PastAttempt =
    status === 'running'
      ? { ...common, status: 'failed', failure_kind: 'interrupted', completed_at: now }
      : { ...common, status, failure_kind, completed_at }
  return [...attempts, past].slice(-KEPT_ATTEMPTS)
}
