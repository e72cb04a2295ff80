import { type Static, Type } from '@sinclair/typebox'
import { CampaignManifestEntry, FailureKind, Timestamp, Worker } from '../experiment/experiment.ts'
import { failedElsewhere } from '../experiment/run.ts'
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

/**
 * A worker is benched when its newest `worker_failure_limit` runs all ended in error, timeout, oom or lost, nobody else failed at any of
 * those experiments, and another worker is active that is not in the same position: one that holds a run under a lease, or started or
 * ended one in the last ten minutes. For ten minutes from when it started or ended a run last; then it gets one experiment.
 * @param now RFC 3339
 */
export function standingOf(campaign: Campaign, worker: string, now: string): Standing {
  const record = campaign.workers.get(worker)
  if (record === undefined || !isFailing(campaign, worker, record)) return TRUSTED
  const present = Date.parse(now)
  if (!hasOther(campaign, present)) return TRUSTED
  const until = endOf(record, present)
  return until > present ? { kind: 'benched', until } : { kind: 'on trial' }
}

/** Workers that are listed at the same time. */
export const MAX_BENCHED = 1000

/** The workers that are benched, by name. */
export function benchedWorkers(campaign: Campaign, now: string, most = MAX_BENCHED): BenchedWorker[] {
  return [...findBenched(campaign, now, most)].sort((a, b) => (a.worker < b.worker ? -1 : 1))
}

function* findBenched(campaign: Campaign, now: string, most: number): Generator<BenchedWorker, void> {
  const limit = campaign.header.settings.worker_failure_limit
  const present = Date.parse(now)
  let left = most
  // Looked at once for all of them: it is the same for each.
  let hasOthers: boolean | undefined
  for (const [worker, record] of limit === 0 ? [] : campaign.workers.failing(limit)) {
    if (endOf(record, present) <= present || !isFailing(campaign, worker, record)) continue
    hasOthers ??= hasOther(campaign, present)
    if (!hasOthers || left === 0) return
    left -= 1
    yield benchedWorker(campaign, worker, record, present)
  }
}

/** Whether it would be benched: for how long, and whether there is another worker, is another question. */
export function isFailing({ header, experiments }: Campaign, worker: string, record: WorkerRecord): boolean {
  const limit = header.settings.worker_failure_limit
  if (limit === 0 || record.failures.length < limit) return false
  const newest = record.failures.slice(-limit)
  if ((newest[0]?.time ?? 0) <= liftedAt(header.bench_lifted, worker)) return false
  return !newest.some(({ position }) => failedElsewhere(experiments.at(position), worker))
}

/** Milliseconds since 1970; 0: never. */
export function liftedAt(lifted: Readonly<Record<string, string>>, worker: string): number {
  return Object.hasOwn(lifted, worker) ? Date.parse(lifted[worker] ?? '') : 0
}

/** Whether a worker is active that is trusted. One that fails is itself not counted so. */
function hasOther(campaign: Campaign, now: number): boolean {
  for (const [worker, record] of campaign.workers.all()) {
    const isActive = record.held > 0 || record.seen >= now - BENCH
    if (isActive && !isFailing(campaign, worker, record)) return true
  }
  return false
}

/** A clock that is ahead does not bench for longer. */
function endOf({ seen }: WorkerRecord, now: number): number {
  return Math.min(seen, now) + BENCH
}

function benchedWorker({ experiments }: Campaign, worker: string, record: WorkerRecord, now: number): BenchedWorker {
  const newest = record.failures.at(-1)
  const experiment = experiments.at(newest?.position ?? 0)
  const past = experiment.attempts.find(({ attempt }) => attempt === newest?.attempt)
  return {
    worker,
    benched_until: new Date(endOf(record, now)).toISOString(),
    failures: record.failures.length,
    exp_id: experiment.exp_id,
    failure_kind: (past ?? experiment).failure_kind ?? 'error',
  }
}
