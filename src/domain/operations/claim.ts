import { type Static, Type } from '@sinclair/typebox'
import type { Campaign, Decision } from '../campaign/campaign.ts'
import { type CampaignState, stateOf } from '../campaign/campaign-state.ts'
import { startAttempt } from '../experiment/attempt.ts'
import { ClaimId, definitionProperties, type Experiment, LeaseSeconds, Worker } from '../experiment/experiment.ts'
import type { ClaimFilter } from '../indexes/claim-filters.ts'
import { Described, StrictObject } from '../schema.ts'

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
 * Starts the next experiments that the worker can run: pending ones in manifest order, then failed ones with retries left.
 * Repeated with its claim_id it returns what that claim still holds. In a paused campaign nothing can be claimed.
 */
export function claim(campaign: Campaign, request: ClaimRequest, now: string): Decision<Claimed> {
  const held = heldBy(campaign, request)
  if (held.length > 0) return { changes: null, result: claimed(campaign, request, held) }
  const { worker, limit = 1, lease_seconds = campaign.header.settings.lease_seconds, claim_id = null } = request
  const lease = { seconds: lease_seconds, claim_id }
  const revision = campaign.nextRevision
  const experiments = claimable(campaign, request, limit).map((experiment) =>
    Object.assign(startAttempt(experiment, now), { worker, lease, revision }),
  )
  if (experiments.length === 0) return { changes: null, result: claimed(campaign, request, []) }
  const changes = { at: now, changed: experiments }
  const next = campaign.revise(changes)
  const granted = experiments.map((experiment) => next.campaign.get(experiment.exp_id) ?? experiment)
  return { changes, next, result: claimed(next.campaign, request, granted) }
}

/** The result of the claim when that changes nothing; null when something can be claimed. */
export function claimUnchanged(campaign: Campaign, request: ClaimRequest): Claimed | null {
  const held = heldBy(campaign, request)
  if (held.length === 0 && claimable(campaign, request, 1).length > 0) return null
  return claimed(campaign, request, held)
}

/** The result of a claim whose caller has left: nothing is started. */
export function claimNothing(campaign: Campaign, request: ClaimRequest): Decision<Claimed> {
  return { changes: null, result: claimed(campaign, request, []) }
}

/** What a claim of that worker and id holds already. */
function heldBy(campaign: Campaign, { worker, claim_id }: ClaimRequest): Experiment[] {
  if (claim_id === undefined) return []
  return [...campaign.queues.claimedAs(worker, claim_id)].map((position) => campaign.experiments.at(position))
}

function claimable({ header, queues, experiments }: Campaign, filter: ClaimFilter, limit: number): Experiment[] {
  const found: Experiment[] = []
  if (header.settings.paused) return found
  for (const position of queues.claimable(filter, header.settings.max_retries)) {
    found.push(experiments.at(position))
    if (found.length === limit) break
  }
  return found
}

function claimed(campaign: Campaign, filter: ClaimFilter, experiments: readonly Experiment[]): Claimed {
  const { queues, header } = campaign
  const { max_retries } = header.settings
  const done = !queues.hasClaimable(filter, max_retries) && !queues.mayFailAndBeClaimed(filter, max_retries)
  return { uid: header.uid, experiments, state: stateOf(campaign), done }
}
