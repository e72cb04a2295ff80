import { Map, Set } from 'immutable'
import { isBreak, type LongWork } from '../long-work.ts'
import type { WorkerRecord } from './worker-record.ts'

const MINUTE = 60_000

/**
 * Workers by the minutes in which they started or ended a run last, to find those of the last minutes without a look at all that
 * there ever were: a fleet may name each of its containers anew. Immutable.
 */
export class WorkerMinutes {
  private constructor(private readonly workers: Map<number, Set<string>>) {}

  static *of(records: ReadonlyMap<string, WorkerRecord>): LongWork<WorkerMinutes> {
    const minutes = Map<number, Set<string>>().asMutable()
    let count = 0
    for (const [worker, record] of records) {
      for (const minute of minutesOf(record)) minutes.set(minute, (minutes.get(minute) ?? mutable()).add(worker))
      count += 1
      if (isBreak(count)) yield
    }
    for (const workers of minutes.values()) workers.asImmutable()
    return new WorkerMinutes(minutes.asImmutable())
  }

  /** @param after null: the worker is gone */
  with(worker: string, before: WorkerRecord | null, after: WorkerRecord | null): WorkerMinutes {
    const old = minutesOf(before)
    const current = minutesOf(after)
    let { workers } = this
    for (const minute of old) if (!current.includes(minute)) workers = less(workers, minute, worker)
    for (const minute of current) {
      if (!old.includes(minute)) workers = workers.set(minute, (workers.get(minute) ?? Set<string>()).add(worker))
    }
    return workers === this.workers ? this : new WorkerMinutes(workers)
  }

  /** Those that were seen between two times, in milliseconds since 1970, and a minute around; some of them twice. */
  *between(from: number, to: number): Generator<string, void> {
    for (let minute = minuteOf(to); minute >= minuteOf(from); minute -= 1) yield* this.workers.get(minute) ?? []
  }
}

function minutesOf(record: WorkerRecord | null): readonly number[] {
  if (record === null) return []
  const started = minuteOf(record.started)
  const ended = minuteOf(record.ended)
  return started === ended ? [started] : [started, ended]
}

function minuteOf(time: number): number {
  return Math.floor(time / MINUTE)
}

function less(workers: Map<number, Set<string>>, minute: number, worker: string): Map<number, Set<string>> {
  const left = workers.get(minute)?.delete(worker)
  if (left === undefined) return workers
  return left.isEmpty() ? workers.delete(minute) : workers.set(minute, left)
}

function mutable(): Set<string> {
  return Set<string>().asMutable()
}
