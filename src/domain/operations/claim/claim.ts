import type { Campaign, Decision } from '../../campaign/campaign.ts'
import { type CampaignState, stateOf } from '../../campaign/campaign-state.ts'
import { DomainError } from '../../errors.ts'
import { startAttempt } from '../../experiment/attempt.ts'
import type { Experiment } from '../../experiment/experiment.ts'
import type { ClaimFilter } from '../../indexes/claim-filters.ts'
import type { Origin } from '../origin.ts'
import type { ClaimRequest } from './claim-request.ts'
import { type EarlierUse, heldAgain } from './repeated-claim.ts'

export interface Claimed {
  /** Of the campaign. */
  readonly uid: string
  /** Running now, in the order of the queue. */
  readonly experiments: readonly Experiment[]
  /** It is what an earlier call has got. */
  readonly isRepeated: boolean
  readonly state: CampaignState
  /** Nothing that the filter matches can be claimed, nor will be, unless it is put back to pending. */
  readonly done: boolean
}

/**
 * Starts the next experiments that the worker can run: pending ones in manifest order, then failed ones within their budgets.
 * Repeated with its claim_id it returns the same again. In a paused campaign nothing can be claimed.
 * @param earlier what is known of its claim_id; null: it has none
 * @throws DomainError `nothing-matches`, with what there is, for a backend or container that no experiment has; `claim-id-used`
 */
export function claim(
  campaign: Campaign,
  request: ClaimRequest,
  origin: Origin,
  earlier: EarlierUse | null,
): Decision<Claimed> {
  refuseUnknownNames(campaign, request)
  const again = heldAgain(campaign, request, earlier, origin.now)
  if (again !== null) return { changes: null, result: { ...claimed(campaign, request, again), isRepeated: true } }
  const changed = started(campaign, request, origin, campaign.nextRevision)
  if (changed.length === 0) return claimNothing(campaign, request)
  const changes = { at: origin.now, changed }
  const next = campaign.revise(changes)
  return { changes, next, result: claimed(next.campaign, request, changed) }
}

/** The next experiments, each started and leased to the worker in the revision. */
export function started(
  campaign: Campaign,
  request: ClaimRequest,
  { now, actor }: Origin,
  revision: number,
): Experiment[] {
  const { worker, limit = 1, lease_seconds = campaign.header.settings.lease_seconds, claim_id = null } = request
  const lease = { seconds: lease_seconds, claim_id, claimed_at: now }
  return claimable(campaign, request, limit).map((experiment) =>
    Object.assign(startAttempt(experiment, now), { worker, actor, lease, revision }),
  )
}

/**
 * The result of a claim when that changes nothing; null when something can be claimed, or another call has the same id.
 * @throws DomainError `nothing-matches`
 */
export function claimUnchanged(campaign: Campaign, request: ClaimRequest): Claimed | null {
  refuseUnknownNames(campaign, request)
  const { claim_id } = request
  if (claim_id !== undefined && campaign.queues.claimedAs(claim_id).length > 0) return null
  return claimable(campaign, request, 1).length > 0 ? null : claimed(campaign, request, [])
}

/** The result of a claim whose caller has left: nothing is started. */
export function claimNothing(campaign: Campaign, request: ClaimRequest): Decision<Claimed> {
  return { changes: null, result: claimed(campaign, request, []) }
}

/** How many names a refusal lists. */
const LISTED = 20

/** A worker whose filter is misspelt must not be told that all is done. A campaign that is empty may still get it. */
export function refuseUnknownNames({ header, queues }: Campaign, filter: ClaimFilter): void {
  for (const key of ['backend', 'container'] as const) {
    const name = filter[key]
    const known = queues.names[key]
    if (name === undefined || known.has(name) || known.size === 0) continue
    const names = [...known.keys()].slice(0, LISTED)
    const more = known.size > LISTED ? `, and ${known.size - LISTED} more` : ''
    const detail =
      `No experiment of campaign ${header.campaign_id} has the ${key} ${JSON.stringify(name)}. ` +
      `It has ${names.map((one) => JSON.stringify(one)).join(', ')}${more}.`
    throw new DomainError('nothing-matches', detail, { [`${key}s`]: names })
  }
}

function claimable({ header, queues, experiments }: Campaign, filter: ClaimFilter, limit: number): Experiment[] {
  const found: Experiment[] = []
  if (header.settings.paused) return found
  for (const position of queues.claimable(filter, header.settings)) {
    found.push(experiments.at(position))
    if (found.length === limit) break
  }
  return found
}

/** @param experiments that it got, of which the campaign has the newest */
export function claimed(campaign: Campaign, filter: ClaimFilter, experiments: readonly Experiment[]): Claimed {
  const { queues, header } = campaign
  const { settings, cancel_running, total_experiments } = header
  // What is told to stop goes back to pending.
  const mayCome = cancel_running ? queues.hasRunning(filter) : queues.mayFailAndBeClaimed(filter, settings)
  const done = total_experiments > 0 && !mayCome && !queues.hasClaimable(filter, settings)
  const newest = experiments.map((experiment) => campaign.get(experiment.exp_id) ?? experiment)
  return { uid: header.uid, experiments: newest, isRepeated: false, state: stateOf(campaign), done }
}
