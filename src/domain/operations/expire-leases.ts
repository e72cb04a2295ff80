import type { Campaign, Decision } from '../campaign/campaign.ts'
import type { Experiment } from '../experiment/experiment.ts'

export interface ExpiredLease {
  readonly exp_id: string
  readonly attempt: number
  /** Seconds since the last heartbeat or report of its worker. */
  readonly idle_seconds: number
}

/**
 * Ends attempts whose leases expired as failed, `lost`: they can be claimed again while they have retries left. What has
 * ended meanwhile, or is in another attempt, stays as it is.
 *
 * @returns the ids of the lost ones
 */
export function expireLeases(
  campaign: Campaign,
  expired: readonly ExpiredLease[],
  now: string,
): Decision<readonly string[]> {
  const revision = campaign.nextRevision
  const changed = expired.flatMap((lease): Experiment[] => {
    const experiment = campaign.get(lease.exp_id)
    const holds = experiment?.status === 'running' && experiment.lease !== null && experiment.attempt === lease.attempt
    return holds ? [{ ...lost(experiment, lease, now), revision }] : []
  })
  const changes = changed.length === 0 ? null : { at: now, changed }
  return { changes, result: changed.map(({ exp_id }) => exp_id) }
}

function lost(experiment: Experiment, { idle_seconds }: ExpiredLease, now: string): Experiment {
  const worker = experiment.worker === null ? 'its worker, which gave no name,' : `worker ${experiment.worker}`
  const lease = experiment.lease?.seconds ?? 0
  const error = `Lost: ${worker} was idle for ${Math.round(idle_seconds)} s, and its lease was of ${lease} s.`
  return { ...experiment, status: 'failed', failure_kind: 'lost', error, completed_at: now, lease: null }
}
