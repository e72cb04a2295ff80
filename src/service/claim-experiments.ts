import { createHash } from 'node:crypto'
import type { Experiment } from '../domain/experiment/experiment.ts'
import { runIdOf } from '../domain/experiment/run-id.ts'
import { claim, type Claimed, claimNothing, claimUnchanged } from '../domain/operations/claim/claim.ts'
import type { ClaimRequest } from '../domain/operations/claim/claim-request.ts'
import type { EarlierUse, ReportName } from '../domain/operations/claim/repeated-claim.ts'
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
  /** Seconds in which the worker must be heard of: of a repeated claim what is left of its lease. */
  readonly seconds_left: number
}

export interface ClaimResult extends Pick<Claimed, 'state' | 'done' | 'benchedUntil'> {
  readonly claims: readonly GrantedClaim[]
}

export interface ReportingClaimResult extends ClaimResult {
  readonly results: readonly BatchResult[]
}

export interface ClaimParts {
  readonly store: CampaignStore
  readonly leases: LeaseKeeper
  readonly claimIds: ClaimIds
  readonly changes: ChangeWaiter
  /** The present: RFC 3339, UTC. */
  readonly now: () => string
}

interface Caller {
  /** The name of the token of the caller; null: none. */
  readonly actor: string | null
}

export interface ClaimOptions extends Caller {
  /** Null: does not wait. */
  readonly wait: Wait | null
  /** What was reported by the same call, before it waits. */
  readonly reported: readonly ReportName[]
}

export interface ReportingClaimOptions extends Caller {
  /** Counted before anything is claimed. */
  readonly reports: readonly BatchItem[]
  /** IANA name, for times of reports without an offset. */
  readonly timezone: string
}

/** Claims the next experiments that the worker can run; waits when there are none now. */
export async function claimExperiments(
  parts: ClaimParts,
  campaignId: string,
  request: ClaimRequest,
  { wait, actor, reported }: ClaimOptions,
): Promise<ClaimResult> {
  const { store, changes } = parts
  const commit = () =>
    withClaimId(parts, { campaignId, request, reported }, (earlier) =>
      store.update(campaignId, (campaign, now) =>
        // Who has left meanwhile would let the leases run out.
        wait?.signal.aborted === true
          ? claimNothing(campaign, request, now)
          : claim(campaign, request, { now, actor }, earlier),
      ),
    )
  // Many workers may wait for few experiments: most find nothing in the committed state, and need no commit.
  const commitIfAny = async () =>
    claimUnchanged((await store.read(campaignId)).campaign, request, parts.now()) ?? (await commit())
  const read = (times: number) => (times === 0 ? commit() : commitIfAny())
  const found = await changes.readUntil(campaignId, wait, read, shouldReply)
  const { state, done, benchedUntil } = found
  return { claims: await granted(parts, campaignId, found), state, done, benchedUntil }
}

/** Counts what the worker reports, and claims the next experiments that it can run now, in one commit. */
export async function reportAndClaimExperiments(
  parts: ClaimParts,
  campaignId: string,
  request: ClaimRequest,
  { reports, timezone, actor }: ReportingClaimOptions,
): Promise<ReportingClaimResult> {
  const { store, leases } = parts
  const reported = reports.map(reportName)
  const found = await withClaimId(parts, { campaignId, request, reported }, (earlier) =>
    store.update(campaignId, (campaign, now) =>
      reportAndClaim(campaign, { request, reports, earlier }, { now, actor, timezone }),
    ),
  )
  const { results, state, done, benchedUntil } = found
  await leases.renew(campaignId, goingOn(found))
  return { claims: await granted(parts, campaignId, found), state, done, benchedUntil, results }
}

/** The report without what it says: enough to tell whether two calls are the same. */
export function reportName(item: BatchItem): ReportName {
  const { exp_id } = item
  if ('refused' in item) return { exp_id }
  const { run_id, attempt } = item.report
  return { exp_id, run_id, attempt }
}

function shouldReply({ experiments, done }: Claimed): boolean {
  return experiments.length > 0 || done
}

/** Those that were reported on and run: not what this very call has claimed, of which nothing is heard yet. */
function goingOn({ results, experiments }: Claimed & { readonly results: readonly BatchResult[] }): Experiment[] {
  const claimed = new Set(experiments.map(({ exp_id }) => exp_id))
  return results.flatMap((result) => ('experiment' in result && !claimed.has(result.exp_id) ? [result.experiment] : []))
}

interface ClaimCall {
  readonly campaignId: string
  readonly request: ClaimRequest
  readonly reported: readonly ReportName[]
}

/**
 * Decides a claim with what is known of its claim_id, and remembers that when it has got something. Looked up just before, since the
 * decision cannot wait: what is heard in between is a beat that crosses the repeat.
 */
async function withClaimId<T extends Claimed>(
  { store, leases, claimIds }: ClaimParts,
  { campaignId, request, reported }: ClaimCall,
  decide: (earlier: EarlierUse | null) => Promise<T>,
): Promise<T> {
  const { claim_id } = request
  if (claim_id === undefined) return decide(null)
  const { campaign } = await store.read(campaignId)
  const held = campaign.queues.claimedAs(claim_id).map((position) => campaign.experiments.at(position))
  const heard = held.length === 0 ? new Set<string>() : await leases.heardOf(campaignId, held)
  const call = callOf(request, reported)
  const found = await decide({ call, remembered: claimIds.find(campaign.header.uid, claim_id), heard, reported })
  const count = found.experiments.length
  if (count > 0) claimIds.remember(found.uid, claim_id, { call, count })
  return found
}

/** Equal for repeats of one call, however long each waits. */
function callOf({ wait_seconds: _wait, ...request }: ClaimRequest, reported: readonly ReportName[]): string {
  const named = Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1))
  const about = reported.map(({ exp_id, run_id, attempt }) => [exp_id, run_id, attempt])
  return createHash('sha256')
    .update(JSON.stringify([named, about]))
    .digest('base64url')
}

async function granted(
  { leases, now }: ClaimParts,
  campaignId: string,
  { uid, experiments, isRepeated }: Claimed,
): Promise<GrantedClaim[]> {
  if (experiments.length === 0) return []
  const states = await leases.states(campaignId, experiments)
  return experiments.map((experiment) => {
    const state = states.get(experiment.exp_id)
    const seconds = experiment.lease?.seconds ?? 0
    return {
      experiment,
      run_id: runIdOf(uid, experiment),
      // A lease that was ended since the commit: the reply to the first heartbeat will say so.
      lease_expires_at: state?.lease_expires_at ?? now(),
      seconds_left: isRepeated ? seconds - (state?.seconds_since_heartbeat ?? 0) : seconds,
    }
  })
}
