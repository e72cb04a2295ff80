import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { applyReport } from '#campaignd/domain/operations/report.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import { UID } from './drafts.js'

/** What a report is decided on, beside its time and revision. */
export const MOMENT = { timezone: 'UTC', uid: UID, actor: null, isCancelling: false } as const

/** When the reports arrive. */
export const NOW = '2026-03-01T12:00:00Z'

/** The experiment after the reports, one after the other, each under a revision of its own. */
export function after(before: Experiment, ...reports: readonly ExperimentReport[]): Experiment {
  return reports.reduce(
    (current, report) => applyReport(current, report, { now: NOW, revision: current.revision + 1, ...MOMENT }),
    before,
  )
}
