import type { Campaign, Decision } from '../campaign/campaign.ts'
import { requeue } from '../experiment/attempt.ts'
import { usedBy } from '../experiment/budgets.ts'
import type { Experiment } from '../experiment/experiment.ts'
import type { RunProgress } from '../experiment/run-progress.ts'
import { isBreak, type LongWork } from '../long-work.ts'

export interface ExpiredLease {
  readonly exp_id: string
  readonly attempt: number
  /** Of the experiment as it was committed then: one that changed since has been heard of, and has a new lease. */
  readonly revision: number
  /** Seconds since the last heartbeat or report of its worker. */
  readonly idle_seconds: number
  /** What its worker told last: still there when the lease could not be ended, and is put back. */
  readonly latest: RunProgress
}

/** Expired leases of one campaign. */
export interface ExpiredLeases {
  readonly campaign_id: string
  /** One that was made again with the id has other attempts. */
  readonly uid: string
  readonly leases: readonly ExpiredLease[]
}

/**
 * Ends attempts whose leases expired as failed, `lost`: they can be claimed again within their budget. What was told to stop goes back
 * to pending. What has ended meanwhile, is in another attempt, or was reported on since the lease was taken, stays as it is.
 *
 * @returns the ids of the lost ones
 */
export function* expireLeases(
  campaign: Campaign,
  { uid, leases }: ExpiredLeases,
  now: string,
): LongWork<Decision<readonly string[]>> {
  const { cancel_running, uid: present } = campaign.header
  if (present !== uid) return { changes: null, result: [] }
  const revision = campaign.nextRevision
  const changed: Experiment[] = []
  for (const [index, lease] of leases.entries()) {
    const experiment = campaign.get(lease.exp_id)
    const isUnchanged = experiment?.attempt === lease.attempt && experiment.revision === lease.revision
    if (isUnchanged && experiment.status === 'running') {
      const ended = lost(experiment, lease, now)
      // What was told to stop has used up nothing.
      const after = cancel_running ? requeue(ended, now, 'pause') : { ...ended, ...usedBy(experiment, 'lost') }
      changed.push({ ...after, actor: null, revision })
    }
    if (isBreak(index)) yield
  }
  const result = changed.filter(({ status }) => status === 'failed').map(({ exp_id }) => exp_id)
  if (changed.length === 0) return { changes: null, result }
  const changes = { at: now, changed }
  return { changes, next: yield* campaign.revised(changes), result }
}

function lost(experiment: Experiment, { idle_seconds }: ExpiredLease, now: string): Experiment {
  const worker = experiment.worker === null ? 'its worker, which gave no name,' : `worker ${experiment.worker}`
  const lease = experiment.lease?.seconds ?? 0
  const error = `Lost: ${worker} was idle for ${Math.round(idle_seconds)} s, and its lease was of ${lease} s.`
  return { ...experiment, status: 'failed', failure_kind: 'lost', error, completed_at: now, lease: null }
}
