import { claim, claimUnchanged, type Claimed, type ClaimRequest } from '../domain/operations/claim.ts'
import type { Experiment } from '../domain/experiment/experiment.ts'
import type { CampaignState } from '../domain/campaign/campaign-state.ts'
import type { LeaseKeeper } from '../leases/lease-keeper.ts'
import type { ChangeWaiter } from '../live/change-waiter.ts'
import type { CampaignStore } from '../repository/campaign-store.ts'
import { lookUntil, type Wait } from './wait.ts'

/** An experiment that the worker is to run, and when its lease runs out without a heartbeat. */
export interface HandedOut {
  readonly experiment: Experiment
  readonly lease_expires_at: string
}

export interface ClaimResult {
  readonly claims: readonly HandedOut[]
  readonly state: CampaignState
  /** Nothing under the filter can be claimed, or will be unless it is put back. */
  readonly done: boolean
}

export interface ClaimPlaces {
  readonly store: CampaignStore
  readonly leases: LeaseKeeper
  readonly changes: ChangeWaiter
  readonly now: () => string
}

/**
 * Hands out the next experiments that the worker can run; waits for some where there are none now.
 * @param wait null: does not wait
 */
export async function claimExperiments(
  { store, leases, changes, now }: ClaimPlaces,
  campaignId: string,
  request: ClaimRequest,
  wait: Wait | null,
): Promise<ClaimResult> {
  const take = () => store.update(campaignId, (campaign, at) => claim(campaign, request, at))
  /** Many may wait for few: a worker that finds nothing in what is committed needs no decision. */
  const takeIfThereIs = async () => claimUnchanged((await store.read(campaignId)).campaign, request) ?? (await take())
  const look = (times: number) => (times === 0 ? take() : takeIfThereIs())
  const { experiments, state, done } = await lookUntil({ changes, campaignId, wait }, look, isWorthAnswering)
  if (experiments.length === 0) return { claims: [], state, done }
  await leases.renew(campaignId, experiments)
  const times = await leases.times(campaignId, experiments)
  const claims = experiments.map((experiment) => ({
    experiment,
    // Ended between the commit and this: the first heartbeat will tell.
    lease_expires_at: times.get(experiment.exp_id)?.lease_expires_at ?? now(),
  }))
  return { claims, state, done }
}

function isWorthAnswering({ experiments, done }: Claimed): boolean {
  return experiments.length > 0 || done
}
