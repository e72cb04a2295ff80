import { type Static, Type } from '@sinclair/typebox'
import type { Campaign, Decision } from '../campaign/campaign.ts'
import { type CampaignState, stateOf } from '../campaign/campaign-state.ts'
import { DomainError } from '../errors.ts'
import { startAttempt } from '../experiment/attempt.ts'
import { ClaimId, definitionProperties, type Experiment, LeaseSeconds, Worker } from '../experiment/experiment.ts'
import type { ClaimFilter } from '../indexes/claim-filters.ts'
import { Described, StrictObject } from '../schema.ts'
import type { Origin } from './origin.ts'

const MAX_CLAIMS = 100

export const ClaimRequest = StrictObject(
  {
    worker: Worker,
    backend: Type.Optional(Described(definitionProperties.backend, 'Only experiments of this backend')),
    container: Type.Optional(Described(definitionProperties.container, 'Only experiments of this container')),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_CLAIMS, description: 'How many at most. Default: 1', examples: [1] }),
    ),
    lease_seconds: Type.Optional(
      Described(LeaseSeconds, 'For how many seconds the worker holds them. Default: the setting of the campaign'),
    ),
    wait_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 60,
        description: 'For how many seconds to wait when nothing can be claimed now. Default: 0',
        examples: [30],
      }),
    ),
    claim_id: Type.Optional(
      Described(
        ClaimId,
        'Makes the call repeatable: the same worker with the same id gets the same claims while their leases last',
      ),
    ),
  },
  {
    $id: 'ClaimRequest',
    description: 'Which worker claims experiments, and which it can run',
    examples: [{ worker: 'gpu-node-1/vllm', backend: 'vllm', wait_seconds: 30, claim_id: '7d4c1b0e' }],
  },
)

export type ClaimRequest = Static<typeof ClaimRequest>

export interface Claimed {
  /** Of the campaign. */
  readonly uid: string
  /** Running now, in the order of the queue. */
  readonly experiments: readonly Experiment[]
  readonly state: CampaignState
  /** Nothing that the filter matches can be claimed, nor will be, unless it is put back to pending. */
  readonly done: boolean
}

/**
 * Starts the next experiments that the worker can run: pending ones in manifest order, then failed ones within their budgets.
 * Repeated with its claim_id it returns what that claim still holds. In a paused campaign nothing can be claimed.
 * @throws DomainError `nothing-matches`, with what there is, for a backend or container that no experiment has
 */
export function claim(campaign: Campaign, request: ClaimRequest, { now, actor }: Origin): Decision<Claimed> {
  refuseUnknownNames(campaign, request)
  const held = heldBy(campaign, request)
  if (held.length > 0) return { changes: null, result: claimed(campaign, request, held) }
  const { worker, limit = 1, lease_seconds = campaign.header.settings.lease_seconds, claim_id = null } = request
  const lease = { seconds: lease_seconds, claim_id, claimed_at: now }
  const revision = campaign.nextRevision
  const experiments = claimable(campaign, request, limit).map((experiment) =>
    Object.assign(startAttempt(experiment, now), { worker, actor, lease, revision }),
  )
  if (experiments.length === 0) return { changes: null, result: claimed(campaign, request, []) }
  const changes = { at: now, changed: experiments }
  const next = campaign.revise(changes)
  const granted = experiments.map((experiment) => next.campaign.get(experiment.exp_id) ?? experiment)
  return { changes, next, result: claimed(next.campaign, request, granted) }
}

/**
 * The result of the claim when that changes nothing; null when something can be claimed.
 * @throws DomainError `nothing-matches`
 */
export function claimUnchanged(campaign: Campaign, request: ClaimRequest): Claimed | null {
  refuseUnknownNames(campaign, request)
  const held = heldBy(campaign, request)
  if (held.length === 0 && claimable(campaign, request, 1).length > 0) return null
  return claimed(campaign, request, held)
}

/** The result of a claim whose caller has left: nothing is started. */
export function claimNothing(campaign: Campaign, request: ClaimRequest): Decision<Claimed> {
  return { changes: null, result: claimed(campaign, request, []) }
}

/** How many names a refusal lists. */
const LISTED = 20

/** A worker whose filter is misspelt must not be told that all is done. A campaign that is empty may still get it. */
function refuseUnknownNames({ header, queues }: Campaign, filter: ClaimFilter): void {
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

/** What a claim of that worker and id holds already. */
function heldBy(campaign: Campaign, { worker, claim_id }: ClaimRequest): Experiment[] {
  if (claim_id === undefined) return []
  return [...campaign.queues.claimedAs(worker, claim_id)].map((position) => campaign.experiments.at(position))
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

function claimed(campaign: Campaign, filter: ClaimFilter, experiments: readonly Experiment[]): Claimed {
  const { queues, header } = campaign
  const { settings, cancel_running, total_experiments } = header
  // What is told to stop goes back to pending.
  const mayCome = cancel_running ? queues.hasRunning(filter) : queues.mayFailAndBeClaimed(filter, settings)
  const done = total_experiments > 0 && !mayCome && !queues.hasClaimable(filter, settings)
  return { uid: header.uid, experiments, state: stateOf(campaign), done }
}
