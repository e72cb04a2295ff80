import { Type } from '@sinclair/typebox'
import { liftedAt } from '../campaign/benching.ts'
import type { Campaign, Decision } from '../campaign/campaign.ts'
import { type CampaignHeader, MAX_BENCH_LIFTED } from '../campaign/manifest.ts'
import { DomainError } from '../errors.ts'
import { isRunBy } from '../experiment/run.ts'
import { StrictObject } from '../schema.ts'

export const WorkerPatch = StrictObject(
  {
    benched: Type.Unsafe<false>({
      type: 'boolean',
      enum: [false],
      description: 'false: the failures so far do not count any more. A worker is benched by its failures alone',
    }),
  },
  { $id: 'WorkerPatch', description: 'What to change of a worker', examples: [{ benched: false }] },
)

/**
 * Has the failures of a worker so far count no more, so that it gets experiments again. Without effect on one that has none.
 * @throws DomainError `worker-not-found` when it never ran an experiment of the campaign
 */
export function liftBench(campaign: Campaign, worker: string, now: string): Decision<null> {
  const { header, workers } = campaign
  const record = workers.get(worker)
  if (record === undefined && !hasRun(campaign, worker)) {
    const detail = `No worker ${JSON.stringify(worker)} is known to have run an experiment of campaign ${header.campaign_id}.`
    throw new DomainError('worker-not-found', detail)
  }
  const newest = record?.failures.at(-1)?.time ?? -1
  if (newest <= liftedAt(header.bench_lifted, worker)) return { changes: null, result: null }
  // A clock that is ahead may have told when it began.
  const at = newest > Date.parse(now) ? new Date(newest).toISOString() : now
  const bench_lifted = { ...stillUsed(campaign), [worker]: at }
  return { changes: { at: now, header: { bench_lifted } }, result: null }
}

/** Also where all that it ran was skipped or put back. */
function hasRun({ experiments }: Campaign, worker: string): boolean {
  for (const experiment of experiments) if (isRunBy(experiment, (one) => one === worker)) return true
  return false
}

/** Without those whose workers have no failures any more that they take back, and at most so many that one has room. */
function stillUsed({ header, workers }: Campaign): CampaignHeader['bench_lifted'] {
  const { bench_lifted } = header
  const used = Object.entries(bench_lifted).filter(([worker]) => {
    const oldest = workers.get(worker)?.failures[0]
    return oldest !== undefined && oldest.time <= liftedAt(bench_lifted, worker)
  })
  const newest = used.sort(([, a], [, b]) => Date.parse(b) - Date.parse(a)).slice(0, MAX_BENCH_LIFTED - 1)
  return Object.fromEntries(newest)
}
