import { type Map, Set } from 'immutable'
import type { Experiment } from '../experiment/experiment.ts'
import { changedRuns, isRunBy, runsOf } from '../experiment/run.ts'
import { atOnce, isBreak, type LongWork } from '../long-work.ts'
import { mapOf } from './map-of.ts'
import { WorkerMinutes } from './worker-minutes.ts'
import { withoutRun, withRun, type WorkerRecord } from './worker-record.ts'

interface Indexes {
  readonly records: Map<string, WorkerRecord>
  readonly minutes: WorkerMinutes
  /** Of those whose newest run failed. */
  readonly failing: WorkerMinutes
  /** Those that hold a run under a lease. */
  readonly holding: Set<string>
  /** Those whose records are to be made anew. */
  readonly open: Set<string>
}

const NO_WORKERS = Set<string>()

/**
 * How each worker ended its newest runs, updated with each change: to find that in the experiments would be a scan at each claim.
 * A change that takes back what decided about a worker leaves its record open, to be made anew when somebody asks. Immutable.
 */
export class WorkerRuns {
  private constructor(private readonly indexes: Indexes) {}

  static *of(experiments: Iterable<Experiment>): LongWork<WorkerRuns> {
    const all = yield* recordsOf(experiments, null)
    const failing = new globalThis.Map<string, WorkerRecord>()
    const holding: string[] = []
    let count = 0
    for (const [worker, record] of all) {
      if (record.failures.length > 0) failing.set(worker, record)
      if (record.held > 0) holding.push(worker)
      count += 1
      if (isBreak(count)) yield
    }
    return new WorkerRuns({
      records: yield* mapOf(all, (record) => record),
      minutes: yield* WorkerMinutes.of(all),
      failing: yield* WorkerMinutes.of(failing),
      holding: Set(holding),
      open: NO_WORKERS,
    })
  }

  /** After the experiment at the position turned from `before` into `after`. */
  with(position: number, before: Experiment, after: Experiment): WorkerRuns {
    const { gone, come } = changedRuns(before, after)
    if (gone.length === 0 && come.length === 0) return this
    let { indexes } = this
    // First what is new: it may decide what would be open otherwise.
    for (const run of come) {
      indexes = put(indexes, run.worker, withRun(indexes.records.get(run.worker), position, run))
    }
    for (const run of gone) {
      const record = indexes.records.get(run.worker)
      const left = record === undefined ? null : withoutRun(record, position, run, come)
      indexes = left === undefined ? { ...indexes, open: indexes.open.add(run.worker) } : put(indexes, run.worker, left)
    }
    return new WorkerRuns(indexes)
  }

  get isKnown(): boolean {
    return this.indexes.open.isEmpty()
  }

  /** With the records that are open made anew. @param experiments of the campaign as it is */
  known(experiments: Iterable<Experiment>): WorkerRuns {
    const { open } = this.indexes
    const records = atOnce(recordsOf(experiments, open))
    let indexes: Indexes = { ...this.indexes, open: NO_WORKERS }
    for (const worker of open) indexes = put(indexes, worker, records.get(worker) ?? null)
    return new WorkerRuns(indexes)
  }

  get(worker: string): WorkerRecord | undefined {
    return this.indexes.records.get(worker)
  }

  /** Those that hold a run under a lease, and those that started or ended one between two times; some of them more than once. */
  *active(from: number, to: number): Generator<[string, WorkerRecord], void> {
    yield* this.withRecords(this.indexes.holding)
    yield* this.withRecords(this.indexes.minutes.between(from, to))
  }

  /** Those that failed at their newest run, and hold one under a lease, or started or ended one between two times. */
  *failing(from: number, to: number): Generator<[string, WorkerRecord], void> {
    const told = new globalThis.Set<string>()
    for (const one of this.maybeFailing(from, to)) {
      if (told.has(one[0])) continue
      told.add(one[0])
      yield one
    }
  }

  private *maybeFailing(from: number, to: number): Generator<[string, WorkerRecord], void> {
    yield* this.withRecords(this.indexes.failing.between(from, to))
    for (const one of this.withRecords(this.indexes.holding)) if (one[1].failures.length > 0) yield one
  }

  private *withRecords(workers: Iterable<string>): Generator<[string, WorkerRecord], void> {
    const { records } = this.indexes
    for (const worker of workers) yield [worker, records.get(worker) as WorkerRecord]
  }
}

/** @param record null: the worker has no run any more */
function put(indexes: Indexes, worker: string, record: WorkerRecord | null): Indexes {
  const before = indexes.records.get(worker) ?? null
  const isHolding = (record?.held ?? 0) > 0
  return {
    records: record === null ? indexes.records.delete(worker) : indexes.records.set(worker, record),
    minutes: indexes.minutes.with(worker, before, record),
    failing: indexes.failing.with(worker, ifFailing(before), ifFailing(record)),
    holding: isHolding ? indexes.holding.add(worker) : indexes.holding.delete(worker),
    open: indexes.open,
  }
}

function ifFailing(record: WorkerRecord | null): WorkerRecord | null {
  return record !== null && record.failures.length > 0 ? record : null
}

/** @param wanted null: of all workers */
function* recordsOf(
  experiments: Iterable<Experiment>,
  wanted: Set<string> | null,
): LongWork<globalThis.Map<string, WorkerRecord>> {
  const records = new globalThis.Map<string, WorkerRecord>()
  const isWanted = (worker: string) => wanted === null || wanted.has(worker)
  let position = 0
  for (const experiment of experiments) {
    // A look at the names costs a tenth of what its runs do.
    for (const run of isRunBy(experiment, isWanted) ? runsOf(experiment) : []) {
      if (isWanted(run.worker)) records.set(run.worker, withRun(records.get(run.worker), position, run))
    }
    if (isBreak(position)) yield
    position += 1
  }
  return records
}
