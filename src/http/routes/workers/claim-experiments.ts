import { Type } from '@sinclair/typebox'
import { CampaignState } from '../../../domain/campaign/campaign-state.ts'
import { Attempt, CampaignManifestEntry, LeaseSeconds, Timestamp } from '../../../domain/experiment/experiment.ts'
import { RunId } from '../../../domain/experiment/run-id.ts'
import { ClaimRequest } from '../../../domain/operations/claim.ts'
import { Described, ref, StrictObject } from '../../../domain/schema.ts'
import type { GrantedClaim } from '../../../service/claim-experiments.ts'
import type { Route } from '../../dependencies.ts'
import { actorOf } from '../../guards/authentication.ts'
import { OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
import { longPoll } from '../../replies/long-poll.ts'
import { CampaignParams, NoQuery } from '../../requests/parameters.ts'

/** Heartbeats in a lease period as advised: two may be lost. */
const HEARTBEATS = 3

const Claim = StrictObject({
  experiment: ref(CampaignManifestEntry),
  run_id: Described(RunId, 'Send it with every report and heartbeat: it says which run they are about'),
  attempt: Described(Attempt, 'How many times the experiment has been started'),
  lease_seconds: LeaseSeconds,
  lease_expires_at: Described(Timestamp, 'When the lease runs out without a heartbeat'),
  heartbeat_seconds: Type.Number({ exclusiveMinimum: 0, description: 'Send a heartbeat this often', examples: [20] }),
})

const ClaimResponse = StrictObject({
  claims: Type.Array(Claim, { description: 'Started and leased to the worker; empty: nothing now' }),
  state: CampaignState,
  done: Type.Boolean({
    description:
      'Nothing matches or will match unless something is put back: stop once the claimed experiments have ended',
  }),
})

const schema = {
  operationId: 'claimExperiments',
  tags: ['workers'],
  summary: 'Claim the next experiments to run',
  description:
    'Returns pending experiments in manifest order, then failed ones within their budgets; each is started and leased to ' +
    'the worker, durably, before the response. Repeat it with the same claim_id when a response is lost.',
  params: CampaignParams,
  querystring: NoQuery,
  body: ref(ClaimRequest),
  response: responses('write', [...OF_CAMPAIGN, 'nothing-matches', 'too-many-waiting'], {
    200: { description: 'What the worker is to run', schema: ClaimResponse },
  }),
}

export const claimExperiments: Route = async (app, dependencies) => {
  const { service } = dependencies
  app.post('/campaigns/:campaign_id/claims', { config: { role: 'work' }, schema }, async (request, reply) => {
    const { params, body } = request
    const { claims, state, done } = await longPoll(
      reply,
      dependencies,
      body.wait_seconds ?? 0,
      (wait) => service.campaigns.claim(params.campaign_id, body, { wait, actor: actorOf(request) }),
      (result) => result.claims.length > 0,
    )
    return { claims: claims.map(toResponse), state, done }
  })
}

function toResponse({ experiment, run_id, lease_expires_at }: GrantedClaim): typeof Claim.static {
  const seconds = experiment.lease?.seconds ?? 0
  return {
    experiment,
    run_id,
    attempt: experiment.attempt,
    lease_seconds: seconds,
    lease_expires_at,
    heartbeat_seconds: Math.round((seconds / HEARTBEATS) * 1000) / 1000,
  }
}
