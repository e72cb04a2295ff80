import { isDeepStrictEqual } from 'node:util'
import type { Campaign, Decision } from '../campaign/campaign.ts'
import { DomainError } from '../errors.ts'
import { keepTail, MAX_ERROR_BYTES } from '../experiment/error-text.ts'
import { copyOfExperiment, OUTCOME_KEYS, type Experiment } from '../experiment/experiment.ts'
import { requeue, startAttempt } from '../experiment/attempt.ts'
import { holderOf, refusal, requireCurrentAttempt, requireOwner, staleAttempt } from '../experiment/fence.ts'
import { readReport, type ExperimentReport } from './report-request.ts'
import { TRANSITIONS, type Transition } from '../experiment/status.ts'

/** When a decision is made and under which revision it will stand. */
export interface Moment {
  readonly now: string
  readonly revision: number
  /** IANA name of the zone in which naive times of the input are read. */
  readonly timezone: string
}

/**
 * Applies a report to one experiment of a campaign.
 *
 * @returns the experiment as it stands then; no changes when the report repeats what is known
 * @throws DomainError `experiment-not-found`, and what `applyReport` throws
 */
export function updateExperiment(
  campaign: Campaign,
  expId: string,
  report: ExperimentReport,
  { now, timezone }: Omit<Moment, 'revision'>,
): Decision<Experiment> {
  const before = findExperiment(campaign, expId)
  const after = applyReport(before, report, { now, timezone, revision: campaign.nextRevision })
  return { changes: after === before ? null : { at: now, changed: [after] }, result: after }
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
 * The experiment after a report; the very same value when the report changes nothing.
 *
 * @throws DomainError `invalid`, `stale-attempt`, `already-running`, `not-the-owner` or `transition-refused`; all but
 *   the first carry the current experiment
 */
export function applyReport(before: Experiment, input: ExperimentReport, moment: Moment): Experiment {
  const report = readReport(input, before, moment.timezone)
  const transition = transitionOf(before, report)
  refuseStaleAttempt(before, report, transition)
  refuseOtherWorker(before, report, transition)
  if (transition === 'refused') throw transitionRefused(before, report)
  const after = withFields(advance(before, report, transition, moment.now), report)
  if (!OUTCOME_KEYS.some((key) => isChanged(before, after, key))) return before
  if (before.status === 'completed') refuseAllButResultPath(before, after)
  after.revision = moment.revision
  return after
}

type Step = Exclude<Transition, 'finish-if-lost' | 'same-or-finish-if-lost' | 'rerun'>

function transitionOf(before: Experiment, { status }: ExperimentReport): Step {
  const transition = status === undefined ? 'same' : TRANSITIONS[before.status][status]
  const lost = before.failure_kind === 'lost'
  if (transition === 'finish-if-lost') return lost ? 'finish' : 'refused'
  if (transition === 'same-or-finish-if-lost') return lost ? 'finish' : 'same'
  return transition === 'rerun' ? 'refused' : transition
}

function refuseStaleAttempt(before: Experiment, { attempt }: ExperimentReport, step: Step): void {
  if (attempt === undefined) return
  const starts = step === 'start' || step === 'start-and-finish'
  if (!starts) requireCurrentAttempt(before, attempt)
  else if (attempt !== before.attempt + 1) {
    throw staleAttempt(before, attempt, `the next one to start is ${before.attempt + 1}`)
  }
}

/**
 * An attempt belongs to one worker. A start may be repeated by the worker that made it, naming the attempt or itself;
 * two workers that both mean to start attempt 1 must not both be told that they did.
 */
function refuseOtherWorker(before: Experiment, report: ExperimentReport, step: Step): void {
  const { worker, attempt, status } = report
  if (before.status === 'running' && status === 'running') {
    // Whoever names the attempt need not name himself; whoever does must be the one who started it, named or not.
    const provesAttempt = attempt !== undefined && worker === undefined
    if (!provesAttempt && (worker ?? null) !== before.worker) {
      const since = before.started_at === null ? '' : ` since ${before.started_at}`
      const detail = `Experiment ${before.exp_id} is run by ${holderOf(before)}${since}, as attempt ${before.attempt}.`
      throw refusal(before, 'already-running', detail)
    }
    return
  }
  if (step === 'finish' || step === 'same' || before.status === 'running') requireOwner(before, worker)
}

function transitionRefused(before: Experiment, { status }: ExperimentReport): DomainError {
  const hint =
    before.status === 'completed'
      ? 'To run it again, post it to retry with include_completed.'
      : before.status === 'failed'
        ? 'Start it again first, by status running.'
        : 'Put it back to pending first.'
  const detail = `Experiment ${before.exp_id} is ${before.status}: it cannot become ${status}. ${hint}`
  return refusal(before, 'transition-refused', detail)
}

function refuseAllButResultPath(before: Experiment, after: Experiment): void {
  const other = OUTCOME_KEYS.find((key) => key !== 'result_path' && isChanged(before, after, key))
  if (other === undefined) return
  const detail = `Experiment ${before.exp_id} is completed: it takes a later result_path, but no other ${other}.`
  throw refusal(before, 'transition-refused', detail)
}

/** Few fields are new values at all, which is looked at first. */
function isChanged(before: Experiment, after: Experiment, key: keyof Experiment): boolean {
  return after[key] !== before[key] && !isDeepStrictEqual(after[key], before[key])
}

/** What the step itself does, before the fields of the report. */
function advance(before: Experiment, report: ExperimentReport, step: Step, now: string): Experiment {
  switch (step) {
    case 'start':
      return startAttempt(before, now)
    case 'start-and-finish':
      return finish({ ...startAttempt(before, now), started_at: null }, report, now)
    case 'finish':
      return finish(before, report, now)
    case 'skip':
      return skip(before, now)
    case 'requeue':
      return requeue(before, now)
    case 'same':
    case 'refused':
      return before
  }
}

function finish(before: Experiment, { status, failure_kind }: ExperimentReport, now: string): Experiment {
  // What the server wrote when it gave the attempt up is not true any more once the attempt speaks for itself.
  const error = before.failure_kind === 'lost' ? null : before.error
  const ended = { ...before, completed_at: now, lease: null, error }
  if (status === 'failed') return { ...ended, status, failure_kind: failure_kind ?? 'error' }
  return { ...ended, status: 'completed', failure_kind: null }
}

/** Skipping ends a running attempt; what is known of an ended one stays readable. */
function skip(before: Experiment, now: string): Experiment {
  const completed_at = before.status === 'running' ? now : before.completed_at
  return { ...before, status: 'skipped', completed_at, failure_kind: null, lease: null }
}

/**
 * A value of its own, even when the report has no fields. Each is put in by its name: to gather them in an object first, and to
 * spread that, took twice as long.
 */
function withFields(experiment: Experiment, report: ExperimentReport): Experiment {
  const { worker, error, result_path, failure_kind, started_at, completed_at, lease_seconds } = report
  const after = copyOfExperiment(experiment)
  const isRun = after.status !== 'pending' && after.status !== 'skipped'
  if (worker !== undefined && isRun) after.worker = worker
  if (error !== undefined) after.error = error === null ? null : keepTail(error, MAX_ERROR_BYTES)
  // A first report of completion, repeated, must not take back the path that came later.
  const keepsPath = after.status === 'completed' && result_path === null
  if (result_path !== undefined && !keepsPath) after.result_path = result_path
  if (failure_kind !== undefined) after.failure_kind = failure_kind
  if (started_at !== undefined) after.started_at = started_at
  if (completed_at !== undefined) after.completed_at = completed_at
  if (lease_seconds !== undefined) after.lease = { seconds: lease_seconds, claim_id: after.lease?.claim_id ?? null }
  return after
}
