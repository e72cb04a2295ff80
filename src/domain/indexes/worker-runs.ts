import { Map, Set } from 'immutable'
import type { Experiment } from '../experiment/experiment.ts'
import { changedRuns, type Run, runsOf } from '../experiment/run.ts'
import { atOnce, isBreak, type LongWork } from '../long-work.ts'
import { mapOf } from './map-of.ts'
import { withoutRun, withRun, type WorkerRecord } from './worker-record.ts'

/** Workers by the length of their streaks of failures, without those that have none. */
type Streaks = Map<number, Set<string>>

const NO_WORKERS = Set<string>()

/**
 * How each worker ended its newest runs, updated with each change: to find that in the experiments would be a scan at each claim.
 * A change that takes back what decided about a worker leaves its record open, to be made anew when somebody asks. Immutable.
 */
export class WorkerRuns {
  private constructor(
    private readonly records: Map<string, WorkerRecord>,
    private readonly streaks: Streaks,
    /** Workers whose records are to be made anew. */
    private readonly open: Set<string>,
  ) {}

  static *of(experiments: Iterable<Experiment>): LongWork<WorkerRuns> {
    const records = yield* recordsOf(experiments, () => true)
    const streaks = new globalThis.Map<number, Set<string>>()
    let count = 0
    for (const [worker, { failures }] of records) {
      const workers = streaks.get(failures.length) ?? NO_WORKERS.asMutable()
      if (failures.length > 0) streaks.set(failures.length, workers.add(worker))
      count += 1
      if (isBreak(count)) yield
    }
    for (const workers of streaks.values()) workers.asImmutable()
    return new WorkerRuns(yield* mapOf(records, (record) => record), Map(streaks), NO_WORKERS)
  }

  /** After the experiment at the position turned from `before` into `after`. */
  with(position: number, before: Experiment, after: Experiment): WorkerRuns {
    const { gone, come } = changedRuns(before, after)
    let next = new WorkerRuns(this.records, this.streaks, this.open)
    // First what is new: it may decide what would be open otherwise.
    for (const run of come) next = next.put(run.worker, withRun(next.records.get(run.worker), position, run))
    for (const run of gone) next = next.less(position, run, come)
    return next
  }

  get isKnown(): boolean {
    return this.open.isEmpty()
  }

  /** With the records that are open made anew. @param experiments of the campaign as it is */
  known(experiments: Iterable<Experiment>): WorkerRuns {
    const { open } = this
    const records = atOnce(recordsOf(experiments, (worker) => open.has(worker)))
    let next = new WorkerRuns(this.records, this.streaks, NO_WORKERS)
    for (const worker of open) next = next.put(worker, records.get(worker) ?? null)
    return next
  }

  get(worker: string): WorkerRecord | undefined {
    return this.records.get(worker)
  }

  all(): Iterable<[string, WorkerRecord]> {
    return this.records
  }

  /** Workers whose newest runs failed, at least so many. */
  *failing(least: number): Generator<[string, WorkerRecord], void> {
    for (const [length, workers] of this.streaks) {
      if (length < least) continue
      for (const worker of workers) yield [worker, this.records.get(worker) as WorkerRecord]
    }
  }

  private less(position: number, run: Run, come: readonly Run[]): WorkerRuns {
    const record = this.records.get(run.worker)
    if (record === undefined) return this
    const isSeen = come.some(({ worker, time }) => worker === run.worker && time >= run.time)
    const left = withoutRun(record, position, run, isSeen)
    if (left !== undefined) return this.put(run.worker, left)
    return new WorkerRuns(this.records, this.streaks, this.open.add(run.worker))
  }

  /** @param record null: the worker has no run any more */
  private put(worker: string, record: WorkerRecord | null): WorkerRuns {
    const before = this.records.get(worker)?.failures.length ?? 0
    const records = record === null ? this.records.delete(worker) : this.records.set(worker, record)
    return new WorkerRuns(records, moved(this.streaks, worker, before, record?.failures.length ?? 0), this.open)
  }
}

function moved(streaks: Streaks, worker: string, before: number, after: number): Streaks {
  if (before === after) return streaks
  let next = streaks
  const left = next.get(before)?.delete(worker)
  if (left !== undefined) next = left.isEmpty() ? next.delete(before) : next.set(before, left)
  return after === 0 ? next : next.set(after, (next.get(after) ?? NO_WORKERS).add(worker))
}

function* recordsOf(
  experiments: Iterable<Experiment>,
  isWanted: (worker: string) => boolean,
): LongWork<globalThis.Map<string, WorkerRecord>> {
  const records = new globalThis.Map<string, WorkerRecord>()
  let position = 0
  for (const experiment of experiments) {
    for (const run of runsOf(experiment)) {
      if (isWanted(run.worker)) records.set(run.worker, withRun(records.get(run.worker), position, run))
    }
    if (isBreak(position)) yield
    position += 1
  }
  return records
}
