import type { Experiment } from '../domain/experiment/experiment.ts'
import { runIdOf } from '../domain/experiment/run-id.ts'
import { claim, type Claimed, claimNothing, type ClaimRequest, claimUnchanged } from '../domain/operations/claim.ts'
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
}

export interface ClaimParts {
  readonly store: CampaignStore
  readonly leases: LeaseKeeper
  readonly changes: ChangeWaiter
  /** The present: RFC 3339, UTC. */
  readonly now: () => string
}

export interface ClaimOptions {
  /** Null: does not wait. */
  readonly wait: Wait | null
  /** The name of the token of the caller; null: none. */
  readonly actor: string | null
}

/** Claims the next experiments that the worker can run; waits when there are none now. */
export async function claimExperiments(
  { store, leases, changes, now: present }: ClaimParts,
  campaignId: string,
  request: ClaimRequest,
  { wait, actor }: ClaimOptions,
): Promise<ClaimResult> {
  // Looked at once more in the decision: who has left meanwhile would let the leases run out.
  const hasLeft = () => wait?.signal.aborted === true
  const commit = () =>
    store.update(campaignId, (campaign, now) =>
      hasLeft() ? claimNothing(campaign, request) : claim(campaign, request, { now, actor }),
    )
  // Many workers may wait for few experiments: most find nothing in the committed state, and need no commit.
  const commitIfAny = async () => claimUnchanged((await store.read(campaignId)).campaign, request) ?? (await commit())
  const read = (times: number) => (times === 0 ? commit() : commitIfAny())
  const { uid, experiments, state, done } = await changes.readUntil(campaignId, wait, read, shouldReply)
  if (experiments.length === 0) return { claims: [], state, done }
  await leases.renew(campaignId, experiments)
  const times = await leases.times(campaignId, experiments)
  const claims = experiments.map((experiment) => ({
    experiment,
    run_id: runIdOf(uid, experiment),
    // A lease that was ended since the commit: the reply to the first heartbeat will say so.
    lease_expires_at: times.get(experiment.exp_id)?.lease_expires_at ?? present(),
  }))
  return { claims, state, done }
}

function shouldReply({ experiments, done }: Claimed): boolean {
  return experiments.length > 0 || done
}
