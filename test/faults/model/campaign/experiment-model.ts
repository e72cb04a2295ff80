/** What the design says of one experiment, written a second time and otherwise: the service is held against it. */

import { isDeepStrictEqual } from 'node:util'
import type { Experiment, PastAttempt } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import { readTime } from '../arguments/times.js'
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
  completed: 'worker result_path error started_at completed_at',
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

/** The same experiment when the report changes nothing. @throws Refused */
export function reported(before: Experiment, report: ExperimentReport, now: string, revision: number): Experiment {
  refuseNonsense(before, report)
  const step = stepOf(before, report.status)
  const starts = step === 'start' || step === 'start and finish'
  const current = starts ? before.attempt + 1 : before.status === 'pending' ? -1 : before.attempt
  if (report.attempt !== undefined && report.attempt !== current) throw refusal('stale-attempt', before)
  refuseOtherWorker(before, report, step)
  if (step === 'none') throw refusal('transition-refused', before)
  const after = withFields(taken(before, report, step, now), report)
  if (isDeepStrictEqual(after, before)) return before
  if (before.status === 'completed' && !isDeepStrictEqual({ ...after, result_path: before.result_path }, before)) {
    throw refusal('transition-refused', before)
  }
  return { ...after, revision }
}

/** A new attempt, of which nothing is known yet. */
export function started(before: Experiment, now: string): Experiment {
  const attempt = before.attempt + 1
  return { ...requeued(before, now), status: 'running', attempt, retry_count: attempt - 1, started_at: now }
}

/** Back to pending: nothing of the attempt stays but its record. */
export function requeued(before: Experiment, now: string): Experiment {
  const cleared = { worker: null, lease: null, error: null, failure_kind: null, result_path: null }
  const times = { started_at: null, completed_at: null }
  return { ...before, ...cleared, ...times, status: 'pending', attempts: withClosedAttempt(before, now) }
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

/** An attempt is its worker's: a second start of it is no start, and no other worker ends it. */
function refuseOtherWorker(before: Experiment, report: ExperimentReport, step: Step): void {
  const { worker, attempt } = report
  if (before.status === 'running' && report.status === 'running') {
    const isNamed = worker === undefined && attempt === before.attempt
    if (!isNamed && (worker ?? null) !== before.worker) throw refusal('already-running', before)
    return
  }
  const isOther = worker !== undefined && before.worker !== null && worker !== before.worker
  const isOfAttempt = before.status === 'running' || step === 'finish' || step === 'same'
  if (isOther && isOfAttempt) throw refusal('not-the-owner', before)
}

function taken(before: Experiment, { status, failure_kind }: ExperimentReport, step: Step, now: string): Experiment {
  if (step === 'requeue') return requeued(before, now)
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
  // No path never takes the path of a completed one away: a first report may be repeated after a later one.
  if (report.result_path !== undefined && !(report.result_path === null && made.status === 'completed')) {
    after.result_path = report.result_path
  }
  if (report.failure_kind !== undefined) after.failure_kind = report.failure_kind
  if (report.started_at !== undefined) after.started_at = readTime(report.started_at)
  if (report.completed_at !== undefined) after.completed_at = readTime(report.completed_at)
  if (report.lease_seconds !== undefined) {
    after.lease = { seconds: report.lease_seconds, claim_id: made.lease?.claim_id ?? null }
  }
  return after
}

/** An attempt is recorded once. One that still runs was interrupted. */
function withClosedAttempt(experiment: Experiment, now: string): PastAttempt[] {
  const { attempt, worker, status, failure_kind, error, result_path, started_at, completed_at, attempts } = experiment
  if (status === 'pending' || attempt === 0 || attempts.at(-1)?.attempt === attempt) return attempts
  const common = { attempt, worker, error: keptPastError(error), result_path, started_at }
  const past: PastAttempt =
    status === 'running'
      ? { ...common, status: 'failed', failure_kind: 'interrupted', completed_at: now }
      : { ...common, status, failure_kind, completed_at }
  return [...attempts, past].slice(-KEPT_ATTEMPTS)
}

function refusal(code: ConstructorParameters<typeof Refused>[1], experiment: Experiment): Refused {
  return new Refused(409, code, { experiment })
}
