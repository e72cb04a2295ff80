import { isDeepStrictEqual } from 'node:util'
import { DomainError } from '#campaignd/domain/errors.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { applyReport } from '#campaignd/domain/operations/report.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import type { Verdict } from './history.js'

/** No report here names a run. */
const UID = '0000000000000000'
const SOME_TIME = '2026-02-01T08:00:00Z'
/** None of these campaigns is paused, and there are no tokens. */
const MOMENT = { now: SOME_TIME, actor: null, revision: 0, timezone: 'UTC', uid: UID, isCancelling: false }

/** The domain itself, one report at a time, is what the history is compared with. */
export function decide(before: Experiment, report: ExperimentReport): Verdict<Experiment> {
  try {
    const after = applyReport(before, report, MOMENT)
    return after === before ? { kind: 'same' } : { kind: 'changed', content: after }
  } catch (error) {
    if (error instanceof DomainError) return { kind: 'refused', code: error.code }
    throw error
  }
}

/** The fold knows neither the clock of the service nor, where no answer shows one, the revision. */
export function matches(decided: Experiment, seen: Experiment): boolean {
  return isDeepStrictEqual(withoutTimes(decided), withoutTimes(seen))
}

function withoutTimes(experiment: Experiment): Partial<Experiment> {
  const { started_at: _started, completed_at: _completed, revision: _revision, attempts, ...rest } = experiment
  const past = attempts.map((attempt) => ({ ...attempt, started_at: null, completed_at: null }))
  return { ...rest, attempts: past }
}
