import { standingOf } from '../../campaign/benching.ts'
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
  /** It got nothing since its worker is benched until then: milliseconds since 1970. Null: its worker is not, or it got something. */
  readonly benchedUntil: number | null
}

/**
 * Starts the next experiments that the worker can run: pending ones in manifest order, then failed ones within their budgets.
 * Repeated with its claim_id it returns the same again. In a paused campaign nothing can be claimed, and nothing by a benched worker.
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
  if (again !== null) {
    return { changes: null, result: { ...claimed(campaign, request, again, origin.now), isRepeated: true } }
  }
  const changed = started(campaign, request, origin, campaign.nextRevision)
  if (changed.length === 0) return claimNothing(campaign, request, origin.now)
  const changes = { at: origin.now, changed }
  const next = campaign.revise(changes)
  return { changes, next, result: claimed(next.campaign, request, changed, origin.now) }
}

/** The next experiments, each started and leased to the worker in the revision. */
export function started(
  campaign: Campaign,
  request: ClaimRequest,
  { now, actor }: Origin,
  revision: number,
): Experiment[] {
  const { worker, lease_seconds = campaign.header.settings.lease_seconds, claim_id = null } = request
  const lease = { seconds: lease_seconds, claim_id, claimed_at: now }
  return claimable(campaign, request, now).map((experiment) =>
    Object.assign(startAttempt(experiment, now), { worker, actor, lease, revision }),
  )
}

/**
 * The result of a claim when that changes nothing; null when something can be claimed, or another call has the same id.
 * @throws DomainError `nothing-matches`
 */
export function claimUnchanged(campaign: Campaign, request: ClaimRequest, now: string): Claimed | null {
  refuseUnknownNames(campaign, request)
  const { claim_id } = request
  if (claim_id !== undefined && campaign.queues.claimedAs(claim_id).length > 0) return null
  return claimable(campaign, { ...request, limit: 1 }, now).length > 0 ? null : claimed(campaign, request, [], now)
}

/** The result of a claim whose caller has left: nothing is started. */
export function claimNothing(campaign: Campaign, request: ClaimRequest, now: string): Decision<Claimed> {
  return { changes: null, result: claimed(campaign, request, [], now) }
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

function claimable(campaign: Campaign, request: ClaimRequest, now: string): Experiment[] {
  const { header, queues, experiments } = campaign
  const found: Experiment[] = []
  if (header.settings.paused) return found
  const standing = standingOf(campaign, request.worker, now)
  if (standing.kind === 'benched') return found
  const most = standing.kind === 'on trial' ? 1 : (request.limit ?? 1)
  for (const position of queues.claimable(request, header.settings)) {
    found.push(experiments.at(position))
    if (found.length === most) break
  }
  return found
}

/** Null where that is not why it got nothing. */
function benchedUntil(campaign: Campaign, request: ClaimRequest, now: string): number | null {
  const { settings } = campaign.header
  if (settings.paused || !campaign.queues.hasClaimable(request, settings)) return null
  const standing = standingOf(campaign, request.worker, now)
  return standing.kind === 'benched' ? standing.until : null
}

/** @param experiments that it got, of which the campaign has the newest */
export function claimed(
  campaign: Campaign,
  request: ClaimRequest,
  experiments: readonly Experiment[],
  now: string,
): Claimed {
  const { queues, header } = campaign
  const { settings, cancel_running, total_experiments } = header
  // What is told to stop goes back to pending.
  const mayCome = cancel_running ? queues.hasRunning(request) : queues.mayFailAndBeClaimed(request, settings)
  const done = total_experiments > 0 && !mayCome && !queues.hasClaimable(request, settings)
  const newest = experiments.map((experiment) => campaign.get(experiment.exp_id) ?? experiment)
  const until = experiments.length > 0 || done ? null : benchedUntil(campaign, request, now)
  return {
    uid: header.uid,
    experiments: newest,
    isRepeated: false,
    state: stateOf(campaign),
    done,
    benchedUntil: until,
  }
}
