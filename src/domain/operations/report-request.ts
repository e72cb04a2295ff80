import { type Static, Type } from '@sinclair/typebox'
import { invalid, jsonPointer } from '../errors.ts'
import {
  Attempt,
  type Experiment,
  LeaseSeconds,
  Metrics,
  REPORTABLE_FAILURE_KINDS,
  ResultPath,
  Status,
  TimeInput,
  Worker,
} from '../experiment/experiment.ts'
import { RunId } from '../experiment/run-id.ts'
import type { ExperimentStatus } from '../experiment/status.ts'
import { Described, FreeText, Nullable, StrictObject, StringEnum } from '../schema.ts'
import { readTime } from '../timestamp.ts'

export const reportProperties = {
  status: Type.Optional(Status),
  run_id: Type.Optional(
    Described(RunId, 'The run that it is about, as the claim gave it: in place of attempt and worker'),
  ),
  attempt: Type.Optional(
    Described(Attempt, 'The attempt that it is about: the newest one, or on a start the next one'),
  ),
  worker: Type.Optional(Worker),
  result_path: Type.Optional(Nullable(ResultPath)),
  metrics: Type.Optional(Nullable(Metrics)),
  error: Type.Optional(
    Nullable(FreeText(), {
      description:
        'What went wrong. Of a long text the end is kept; up to 4 MiB a report is not refused for its length',
      examples: ['CUDA out of memory'],
    }),
  ),
  failure_kind: Type.Optional(
    StringEnum(REPORTABLE_FAILURE_KINDS, { description: 'Why it failed. Default: error', examples: ['oom'] }),
  ),
  started_at: Type.Optional(TimeInput),
  completed_at: Type.Optional(TimeInput),
  lease_seconds: Type.Optional(LeaseSeconds),
}

export const ExperimentReport = StrictObject(reportProperties, {
  $id: 'ExperimentReport',
  description:
    'What a worker reports about an experiment. `run_id` or `attempt` are not changed by it: they fence off stale workers',
  examples: [{ status: 'completed', worker: 'gpu-node-1', attempt: 1, result_path: 'results/aggregated/0042.json' }],
})

export type ExperimentReport = Static<typeof ExperimentReport>

type ReportField = keyof typeof reportProperties

/** Fields that say what a report is about. They are given in every status, and change nothing by themselves. */
const NAMING: readonly ReportField[] = ['status', 'run_id', 'attempt']

/** The other fields that can be set in each status. */
const FIELDS_OF: Readonly<Record<ExperimentStatus, readonly ReportField[]>> = {
  pending: [],
  running: ['worker', 'result_path', 'error', 'started_at', 'lease_seconds'],
  completed: ['worker', 'result_path', 'metrics', 'error', 'started_at', 'completed_at'],
  failed: ['worker', 'result_path', 'error', 'failure_kind', 'started_at', 'completed_at'],
  skipped: ['result_path', 'error', 'completed_at'],
}

/**
 * Checks what the schema of a report cannot express, and converts its times.
 *
 * @param timezone IANA name, for times without an offset
 * @throws DomainError `invalid` when it is empty, or has a field that the status cannot have
 */
export function readReport(report: ExperimentReport, experiment: Experiment, timezone: string): ExperimentReport {
  const { status } = report
  const fields = (Object.keys(report) as ReportField[]).filter((field) => !NAMING.includes(field))
  if (status === undefined && fields.length === 0) {
    throw invalid({ pointer: '', detail: 'is empty: give a status or a field to change' })
  }
  refuseLongMetrics(report.metrics ?? null, '/metrics')
  const target = status ?? experiment.status
  for (const field of fields) {
    // A call that requeues or skips an experiment may name its caller, though that does not run it.
    const namesCaller = field === 'worker' && status !== undefined
    if (report[field] !== null && !namesCaller && !FIELDS_OF[target].includes(field)) {
      throw invalid({ pointer: jsonPointer(field), detail: `cannot be set: a ${target} experiment has none` })
    }
  }
  if (report.started_at === undefined && report.completed_at === undefined) return report
  const read = { ...report }
  const { started_at, completed_at } = report
  if (started_at !== undefined) read.started_at = readTime(started_at, timezone, '/started_at')
  const start = read.started_at ?? experiment.started_at
  if (completed_at !== undefined) read.completed_at = readTime(completed_at, timezone, '/completed_at', start)
  return read
}

/** Of them nothing is cut near the limit of a campaign. */
const MAX_METRICS_BYTES = 4096

/** @throws DomainError `invalid` at the pointer */
export function refuseLongMetrics(metrics: Metrics | null, pointer: string): void {
  const bytes = metrics === null ? 0 : Buffer.byteLength(JSON.stringify(metrics))
  if (bytes <= MAX_METRICS_BYTES) return
  throw invalid({ pointer, detail: `have ${bytes} bytes as JSON, more than ${MAX_METRICS_BYTES}` })
}
