import { DISCARDS, newestClosed } from '../experiment/attempt.ts'
import type { Experiment } from '../experiment/experiment.ts'
import { type Transition, TRANSITIONS } from '../experiment/status.ts'
import type { ExperimentReport } from './report-request.ts'

/** `reopen`: its newest attempt, which was closed, completed after all. `stop`: it ended because it was told to. */
export type Step = Exclude<Transition, 'finish-if-lost' | 'same-or-finish-if-lost' | 'rerun'> | 'reopen' | 'stop'

/** @param isCancelling the campaign is paused, and has told its workers to stop */
export function stepOf(before: Experiment, report: ExperimentReport, isCancelling: boolean): Step {
  const { status } = report
  const transition = status === undefined ? 'same' : TRANSITIONS[before.status][status]
  const lost = before.failure_kind === 'lost'
  if (transition === 'finish-if-lost') return lost ? 'finish' : 'refused'
  if (transition === 'same-or-finish-if-lost') return lost ? 'finish' : 'same'
  if (transition === 'start-and-finish' && isLateCompletion(before, report)) return 'reopen'
  if (transition === 'finish' && isCancelling && isInterruption(report)) return 'stop'
  return transition === 'rerun' ? 'refused' : transition
}

/** Nobody started another attempt since, so what it made counts. */
function isLateCompletion(before: Experiment, { status, attempt }: ExperimentReport): boolean {
  const closed = newestClosed(before)
  const closedBy = closed?.closed_by ?? null
  // Not known: of an earlier format, which may have been a retry.
  if (status !== 'completed' || closedBy === null || attempt !== closed?.attempt) return false
  return !DISCARDS.has(closedBy)
}

/** A stop was reported before, and put the experiment back. */
export function isRepeatedStop(before: Experiment, report: ExperimentReport): boolean {
  const closed = newestClosed(before)
  if (closed?.closed_by !== 'pause' || before.status !== 'pending' || !isInterruption(report)) return false
  const { attempt = closed.attempt, worker = closed.worker } = report
  return attempt === closed.attempt && worker === closed.worker
}

function isInterruption({ status, failure_kind }: ExperimentReport): boolean {
  return status === 'failed' && failure_kind === 'interrupted'
}
