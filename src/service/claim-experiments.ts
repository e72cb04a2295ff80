import { createHash } from 'node:crypto'
import type { Experiment } from '../domain/experiment/experiment.ts'
import { runIdOf } from '../domain/experiment/run-id.ts'
import { claim, type Claimed, claimNothing, claimUnchanged } from '../domain/operations/claim/claim.ts'
import type { ClaimRequest } from '../domain/operations/claim/claim-request.ts'
import type { EarlierUse } from '../domain/operations/claim/repeated-claim.ts'
import { reportAndClaim } from '../domain/operations/claim/report-and-claim.ts'
import type { BatchItem, BatchResult } from '../domain/operations/report-batch.ts'
import type { ClaimIds } from '../leases/claim-ids.ts'
import type { LeaseKeeper } from '../leases/lease-keeper.ts'
import type { ChangeWaiter, Wait } from '../live/change-waiter.ts'
import type { CampaignStore } from '../repository/campaign-store.ts'

/** An experiment that the worker is to run, and when its lease expires without a heartbeat. */
export interface GrantedClaim {
  readonly experiment: Experiment
  readonly run_id: string
  readonly lease_expires_at: string
}

export interface ClaimResult extends Pick<Claimed, 'state' | 'done'> {
  readonly claims: readonly GrantedClaim[]
  /** Of the reports that came along; null: there were none. */
  readonly results: readonly BatchResult[] | null
}

export interface ClaimParts {
  readonly store: CampaignStore
  readonly leases: LeaseKeeper
  readonly claimIds: ClaimIds
  readonly changes: ChangeWaiter
  /** The present: RFC 3339, UTC. */
  readonly now: () => string
}

export interface ClaimOptions {
  /** Counted before anything is claimed. */
  readonly reports: readonly BatchItem[]
  /** IANA name, for times of reports without an offset. */
  readonly timezone: string
  /** Null: does not wait. */
  readonly wait: Wait | null
  /** The name of the token of the caller; null: none. */
  readonly actor: string | null
}

/**
 * Counts what the worker reports and claims the next experiments that it can run; waits when there are none now. The reports do not
 * wait: they are durable before.
 */
export async function claimExperiments(
  parts: ClaimParts,
  campaignId: string,
  request: ClaimRequest,
  { reports, timezone, wait, actor }: ClaimOptions,
): Promise<ClaimResult> {
  const { store, leases, claimIds, changes } = parts
  const earlier = await earlierUse(parts, campaignId, request, reports)
  // Looked at once more in each decision: who has left meanwhile would let the leases run out.
  const isWanted = () => wait?.signal.aborted !== true
  const commit = () =>
    store.update(campaignId, (campaign, now) =>
      isWanted() ? claim(campaign, request, { now, actor }, earlier) : claimNothing(campaign, request),
    )
  let results: readonly BatchResult[] | null = null
  const commitWithReports = async () => {
    const found = await store.update(campaignId, (campaign, now) => {
      const order = { request, reports, earlier, isWanted: isWanted() }
      return reportAndClaim(campaign, order, { now, actor, timezone })
    })
    results = found.results
    await leases.renew(campaignId, reportedIn(results))
    return found
  }
  // Many workers may wait for few experiments: most find nothing in the committed state, and need no commit.
  const commitIfAny = async () => claimUnchanged((await store.read(campaignId)).campaign, request) ?? (await commit())
  const first = reports.length === 0 ? commit : commitWithReports
  const read = (times: number): Promise<Claimed> => (times === 0 ? first() : commitIfAny())
  const { uid, experiments, state, done } = await changes.readUntil(campaignId, wait, read, shouldReply)
  if (experiments.length === 0) return { claims: [], state, done, results }
  if (earlier !== null && request.claim_id !== undefined) {
    claimIds.remember(uid, request.claim_id, { call: earlier.call, count: experiments.length })
  }
  return { claims: await granted(parts, campaignId, uid, experiments), state, done, results }
}

function shouldReply({ experiments, done }: Claimed): boolean {
  return experiments.length > 0 || done
}

/** Looked up before the decision, which cannot wait: what is heard in between is a beat that crosses the repeat. */
async function earlierUse(
  { store, leases, claimIds }: ClaimParts,
  campaignId: string,
  request: ClaimRequest,
  reports: readonly BatchItem[],
): Promise<EarlierUse | null> {
  const { claim_id } = request
  if (claim_id === undefined) return null
  const { campaign } = await store.read(campaignId)
  const held = campaign.queues.claimedAs(claim_id).map((position) => campaign.experiments.at(position))
  const heard = held.length === 0 ? new Set<string>() : await leases.heardOf(campaignId, held)
  return { call: callOf(request, reports), remembered: claimIds.find(campaign.header.uid, claim_id), heard }
}

/** Equal for repeats of one call, however long each waits. */
function callOf({ wait_seconds: _wait, ...request }: ClaimRequest, reports: readonly BatchItem[]): string {
  const named = Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1))
  const about = reports.map((item) => [item.exp_id, 'report' in item ? [item.report.status, item.report.run_id] : null])
  return createHash('sha256')
    .update(JSON.stringify([named, about]))
    .digest('base64url')
}

function reportedIn(results: readonly BatchResult[]): Experiment[] {
  return results.flatMap((result) => ('experiment' in result ? [result.experiment] : []))
}

async function granted(
  { leases, now }: ClaimParts,
  campaignId: string,
  uid: string,
  experiments: readonly Experiment[],
): Promise<GrantedClaim[]> {
  const states = await leases.states(campaignId, experiments)
  return experiments.map((experiment) => ({
    experiment,
    run_id: runIdOf(uid, experiment),
    // A lease that was ended since the commit: the reply to the first heartbeat will say so.
    lease_expires_at: states.get(experiment.exp_id)?.lease_expires_at ?? now(),
  }))
}
