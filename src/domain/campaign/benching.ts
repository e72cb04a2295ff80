import { type Static, Type } from '@sinclair/typebox'
import { CampaignManifestEntry, FailureKind, Timestamp, Worker } from '../experiment/experiment.ts'
import { hasFailedBy, msOf } from '../experiment/run.ts'
import type { WorkerRecord } from '../indexes/worker-record.ts'
import { Described, StrictObject } from '../schema.ts'
import type { Campaign } from './campaign.ts'

/** Milliseconds for which a worker is benched after it was seen last, and in which others count as active. */
const BENCH = 10 * 60 * 1000

const { exp_id } = CampaignManifestEntry.properties

export const BenchedWorker = StrictObject(
  {
    worker: Worker,
    benched_until: Described(Timestamp, 'Then it gets one experiment, as a try'),
    failures: Type.Integer({ minimum: 1, description: 'How many of its newest runs failed, one after the other' }),
    exp_id: Described(exp_id, 'At which it failed last'),
    failure_kind: Described(FailureKind, 'How it failed there'),
  },
  { $id: 'BenchedWorker', description: 'A worker that gets nothing for a while, since its newest runs all failed' },
)

export type BenchedWorker = Static<typeof BenchedWorker>

/** What a claim of a worker may get: whatever there is, one experiment as a try, or nothing until then (milliseconds since 1970). */
export type Standing = { readonly kind: 'trusted' | 'on trial' } | { readonly kind: 'benched'; readonly until: number }

const TRUSTED: Standing = { kind: 'trusted' }

/** Workers that are looked at for one answer: with more that fail at the same time it is not the machines. */
const LOOKED_AT = 2000

/** Milliseconds after which to look again while a try goes on, which has no end that is known. */
const TRY = 60 * 1000

/**
 * A worker is benched when its newest `worker_failure_limit` runs all ended in error, timeout, oom or lost, nobody else failed at any of
 * those experiments who does not fail like this, and another worker is active that is trusted and runs the same backend in the same
 * container: it holds a run under a lease, or started or ended one in the last ten minutes. For ten minutes from when it started or ended
 * a run last; then it gets one experiment.
 * @param now RFC 3339
 */
export function standingOf(campaign: Campaign, worker: string, now: string): Standing {
  const record = campaign.workers.get(worker)
  if (record === undefined || !isFailing(campaign, worker, record)) return TRUSTED
  const present = presentOf(campaign, now)
  if (!hasOther(campaign, record, present)) return TRUSTED
  const until = benchEnd(record, present)
  return until === null ? { kind: 'on trial' } : { kind: 'benched', until }
}

/** The workers that are benched, by name. */
export function benchedWorkers(campaign: Campaign, now: string): BenchedWorker[] {
  const present = presentOf(campaign, now)
  return findBenched(campaign, present)
    .map((one) => benchedWorker(campaign, one))
    .sort((a, b) => (a.worker < b.worker ? -1 : 1))
}

/** How many there are. */
export function countBenched(campaign: Campaign, now: string): number {
  return findBenched(campaign, presentOf(campaign, now)).length
}

/** Whether it would be benched: for how long, and whether there is another worker, is another question. */
function isFailing({ header, experiments, workers }: Campaign, worker: string, record: WorkerRecord): boolean {
  const limit = header.settings.worker_failure_limit
  if (limit === 0 || record.failures.length < limit) return false
  const newest = record.failures.slice(-limit)
  if ((newest[0]?.time ?? 0) <= liftedAt(header.bench_lifted, worker)) return false
  // Two bad machines would clear each other, as soon as each gets what the other failed at.
  const isWitness = (other: string) => other !== worker && (workers.get(other)?.failures.length ?? 0) < limit
  return !newest.some(({ position }) => hasFailedBy(experiments.at(position), isWitness))
}

/** Milliseconds since 1970; -1: never. A run of which no time is known has 0. */
export function liftedAt(lifted: Readonly<Record<string, string>>, worker: string): number {
  return Object.hasOwn(lifted, worker) ? msOf(lifted[worker] ?? null) : -1
}

/** Null: it may try one experiment. */
function benchEnd(record: WorkerRecord, present: number): number | null {
  const until = seenAt(record, present) + BENCH
  if (until > present) return until
  const isTrying = record.held > 0 && record.started > (record.failures.at(-1)?.time ?? 0)
  return isTrying ? present + TRY : null
}

interface Benched {
  readonly worker: string
  readonly record: WorkerRecord
  /** Milliseconds since 1970. */
  readonly until: number
}

function findBenched(campaign: Campaign, present: number): Benched[] {
  const { workers, header } = campaign
  if (header.settings.worker_failure_limit === 0) return []
  const found = [...firstOf(workers.failing(present - BENCH, present + BENCH))].flatMap(([worker, record]) => {
    const until = benchEnd(record, present)
    return until !== null && isFailing(campaign, worker, record) ? [{ worker, record, until }] : []
  })
  if (found.length === 0) return found
  const served = new Set(trustedAt(campaign, present))
  return found.filter(({ record }) => served.has(kindOf(campaign, record.failures.at(-1)?.position)))
}

/** Whether a worker is active that is trusted and may do what the failing one cannot. */
function hasOther(campaign: Campaign, failing: WorkerRecord, present: number): boolean {
  const wanted = kindOf(campaign, failing.failures.at(-1)?.position)
  for (const kind of trustedAt(campaign, present)) if (kind === wanted) return true
  return false
}

/** The kinds of experiments that active workers run which are trusted: of the newest run of each. */
function* trustedAt(campaign: Campaign, present: number): Generator<string, void> {
  for (const [worker, record] of firstOf(campaign.workers.active(present - BENCH, present + BENCH))) {
    const isActive = record.held > 0 || seenAt(record, present) >= present - BENCH
    if (isActive && !isFailing(campaign, worker, record)) yield kindOf(campaign, record.latest)
  }
}

/** Backend and container of the experiment at the position. */
function kindOf({ experiments }: Campaign, position = 0): string {
  const { backend, container } = experiments.at(position)
  return JSON.stringify([backend, container])
}

function* firstOf<T>(items: Iterable<T>): Generator<T, void> {
  let count = 0
  for (const item of items) {
    if (count === LOOKED_AT) return
    count += 1
    yield item
  }
}

/** The clock may have been set back since the last change. */
function presentOf({ header }: Campaign, now: string): number {
  return Math.max(Date.parse(now), msOf(header.updated_at))
}

/** When it started or ended a run last. */
function seenAt({ started, ended }: WorkerRecord, present: number): number {
  return Math.max(believed(started, present), believed(ended, present))
}

/** Clocks of workers are ahead by seconds; what one that is ahead by more told says nothing of when it was. */
function believed(time: number, present: number): number {
  return time > present + BENCH ? 0 : Math.min(time, present)
}

function benchedWorker({ experiments }: Campaign, { worker, record, until }: Benched): BenchedWorker {
  const newest = record.failures.at(-1)
  const experiment = experiments.at(newest?.position ?? 0)
  const past = experiment.attempts.find(({ attempt }) => attempt === newest?.attempt)
  return {
    worker,
    benched_until: new Date(until).toISOString(),
    failures: record.failures.length,
    exp_id: experiment.exp_id,
    failure_kind: (past ?? experiment).failure_kind ?? 'error',
  }
}
