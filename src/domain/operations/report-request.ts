import { Type, type Static } from '@sinclair/typebox'
import {
  Attempt,
  LeaseSeconds,
  ResultPath,
  Status,
  REPORTABLE_FAILURE_KINDS,
  Worker,
  type Experiment,
} from '../experiment/experiment.ts'
import { invalid, jsonPointer } from '../errors.ts'
import { Nullable, StringEnum } from '../schema.ts'
import type { ExperimentStatus } from '../experiment/status.ts'
import { parseTime, TIME_INPUT_PATTERN } from '../timestamp.ts'

const TimeInput = Type.String({
  pattern: TIME_INPUT_PATTERN,
  description: 'RFC 3339; without an offset it is read in the zone of `?timezone=`',
  examples: ['2026-02-03T21:04:17.319Z'],
})

export const reportProperties = {
  status: Type.Optional(Status),
  attempt: Type.Optional(Attempt),
  worker: Type.Optional(Worker),
  result_path: Type.Optional(Nullable(ResultPath)),
  error: Type.Optional(
    Nullable(Type.String(), {
      description: 'What went wrong. Of a long text the end is kept; it is never refused for its length',
      examples: ['CUDA out of memory'],
    }),
  ),
  failure_kind: Type.Optional(
    StringEnum(REPORTABLE_FAILURE_KINDS, {
      description: 'Why it failed; `error` when left out',
      examples: ['oom'],
    }),
  ),
  started_at: Type.Optional(TimeInput),
  completed_at: Type.Optional(TimeInput),
  lease_seconds: Type.Optional(LeaseSeconds),
}

export const ExperimentReport = Type.Object(reportProperties, {
  $id: 'ExperimentReport',
  additionalProperties: false,
  description: 'What a worker says of an experiment. `attempt` is not changed by it: it fences off stale workers',
  examples: [{ status: 'completed', worker: 'gpu-node-1', attempt: 1, result_path: 'results/aggregated/0042.json' }],
})

export type ExperimentReport = Static<typeof ExperimentReport>

type ReportField = keyof typeof reportProperties

/** The fields that mean something for an experiment in each status. `status` and `attempt` always do. */
const FIELDS_OF: Readonly<Record<ExperimentStatus, readonly ReportField[]>> = {
  pending: [],
  running: ['worker', 'result_path', 'error', 'started_at', 'lease_seconds'],
  completed: ['worker', 'result_path', 'error', 'started_at', 'completed_at'],
  failed: ['worker', 'result_path', 'error', 'failure_kind', 'started_at', 'completed_at'],
  skipped: ['result_path', 'error', 'completed_at'],
}

/**
 * Checks what the schema of a report cannot say, and reads its times.
 *
 * @param experiment the one it is about
 * @param timezone IANA name of the zone of naive times
 * @throws DomainError `invalid` when it says nothing, or says what the status cannot have
 */
export function readReport(report: ExperimentReport, experiment: Experiment, timezone: string): ExperimentReport {
  const { status } = report
  const fields = (Object.keys(report) as ReportField[]).filter((field) => field !== 'status' && field !== 'attempt')
  if (status === undefined && fields.length === 0) {
    throw invalid({ pointer: '', detail: 'says nothing: give a status or a field to change' })
  }
  const target = status ?? experiment.status
  for (const field of fields) {
    // Whoever puts an experiment back or skips it may say who he is, though he does not run it.
    const signs = field === 'worker' && status !== undefined
    if (report[field] !== null && !signs && !FIELDS_OF[target].includes(field)) {
      throw invalid({ pointer: jsonPointer(field), detail: `cannot be set: a ${target} experiment has none` })
    }
  }
  const hasTimes = report.started_at !== undefined || report.completed_at !== undefined
  return hasTimes ? { ...report, ...readTimes(report, timezone) } : report
}

function readTimes(report: ExperimentReport, timezone: string): Partial<ExperimentReport> {
  const times: Partial<ExperimentReport> = {}
  for (const field of ['started_at', 'completed_at'] as const) {
    const text = report[field]
    if (text !== undefined) times[field] = readTime(text, timezone, jsonPointer(field))
  }
  return times
}

/** @throws DomainError `invalid` at the pointer when there is no such day or time */
export function readTime(text: string, timezone: string, pointer: string): string {
  const time = parseTime(text, timezone)
  if (time === undefined) throw invalid({ pointer, detail: 'is not a time that exists' })
  return time
}
