import type { Experiment } from '../experiment/experiment.ts'
import { shrinkOrder } from '../experiment/shrink.ts'
import { EXPERIMENT_STATUSES, type ExperimentStatus } from '../experiment/status.ts'
import { compareTimes } from '../timestamp.ts'

/** What is known of a range of experiments without reading each: enough to skip it in a search. */
export interface Summary {
  /** Which statuses occur: a bit each, see `STATUS_BIT`. */
  readonly statuses: number
  /** The earliest start among them, or null. */
  readonly earliest_start: string | null
  /** The newest revision among them; 0 when there are none. */
  readonly newest_revision: number
  /** Bytes of their lines. */
  readonly bytes: number
  /** The least `shrinkOrder` among them. */
  readonly shrink_order: number
}

/** For `next`: whether any of the statuses occurs. */
export function hasStatus(...statuses: readonly ExperimentStatus[]): (summary: Summary) => boolean {
  const wanted = statuses.reduce((bits, status) => bits | STATUS_BIT[status], 0)
  return (summary) => (summary.statuses & wanted) !== 0
}

/** For `next`: whether any changed after a revision. */
export function changedAfter(revision: number): (summary: Summary) => boolean {
  return (summary) => summary.newest_revision > revision
}

const STATUS_BIT = Object.fromEntries(EXPERIMENT_STATUSES.map((status, index) => [status, 1 << index])) as Readonly<
  Record<ExperimentStatus, number>
>

/** Most changes leave what is searched for in the summaries above as it was: then nothing needs to be computed anew. */
export function isAlike(a: Summary, b: Summary): boolean {
  return a.statuses === b.statuses && a.earliest_start === b.earliest_start && a.shrink_order === b.shrink_order
}

/** Of a range in which one part changed. Revisions only grow, so the newest is known without reading the others. */
export function moved(whole: Summary, before: Summary, after: Summary): Summary {
  return {
    statuses: whole.statuses,
    earliest_start: whole.earliest_start,
    newest_revision: Math.max(whole.newest_revision, after.newest_revision),
    bytes: whole.bytes + after.bytes - before.bytes,
    shrink_order: whole.shrink_order,
  }
}

export function summarise(experiment: Experiment, size: number): Summary {
  return {
    statuses: STATUS_BIT[experiment.status],
    earliest_start: experiment.started_at,
    newest_revision: experiment.revision,
    bytes: size,
    shrink_order: shrinkOrder(experiment),
  }
}

export function sum(summaries: readonly Summary[]): Summary {
  let statuses = 0
  let earliest_start: string | null = null
  let newest_revision = 0
  let bytes = 0
  let shrink_order = Infinity
  for (const summary of summaries) {
    statuses |= summary.statuses
    earliest_start = earlier(earliest_start, summary.earliest_start)
    newest_revision = Math.max(newest_revision, summary.newest_revision)
    bytes += summary.bytes
    shrink_order = Math.min(shrink_order, summary.shrink_order)
  }
  return { statuses, earliest_start, newest_revision, bytes, shrink_order }
}

function earlier(a: string | null, b: string | null): string | null {
  return a === null || (b !== null && compareTimes(b, a) < 0) ? b : a
}
