import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ClaimRequest } from '../../../domain/operations/claim.ts'
import { Attempt, CampaignManifestEntry, LeaseSeconds, Timestamp } from '../../../domain/experiment/experiment.ts'
import { CampaignState } from '../../../domain/campaign/campaign-state.ts'
import { Described, ref } from '../../../domain/schema.ts'
import { responses } from '../../openapi/responses.ts'
import type { GrantedClaim } from '../../../service/claim-experiments.ts'
import type { RouteDependencies } from '../../dependencies.ts'
import { longPoll } from '../../replies/long-poll.ts'
import { CampaignParams, NoQuery } from '../../requests/parameters.ts'

/** Heartbeats in a lease period when they come as advised: two may be lost. */
const BEATS = 3

const Claim = Type.Object(
  {
    experiment: ref(CampaignManifestEntry),
    attempt: Described(Attempt, 'To be named in every report and heartbeat of it'),
    lease_seconds: LeaseSeconds,
    lease_expires_at: Described(Timestamp, 'When the lease runs out without a heartbeat'),
    heartbeat_seconds: Type.Number({
      exclusiveMinimum: 0,
      description: 'Send a heartbeat this often',
      examples: [20],
    }),
  },
  { additionalProperties: false },
)

const ClaimAnswer = Type.Object(
  {
    claims: Type.Array(Claim, { description: 'Started and held by the worker; empty: nothing now' }),
    state: CampaignState,
    done: Type.Boolean({
      description:
        'Nothing under this filter can be claimed, or will be unless somebody puts it back: stop asking once what was claimed is done',
    }),
  },
  { additionalProperties: false },
)

const schema = {
  operationId: 'claimExperiments',
  tags: ['workers'],
  summary: 'Claim the next experiments to run',
  description:
    'Hands out pending experiments in manifest order, then failed ones that have retries left; each is started and leased to ' +
    'the worker, durably, before the answer. Repeat it with the same claim_id when an answer is lost.',
  params: CampaignParams,
  querystring: NoQuery,
  body: ref(ClaimRequest),
  response: responses({
    success: { 200: { description: 'What the worker is to run', schema: ClaimAnswer } },
    kind: 'write',
    problems: ['campaign-not-found', 'campaign-corrupt', 'too-many-waiting'],
  }),
}

export const claimExperiments: FastifyPluginAsyncTypebox<RouteDependencies> = async (app, { service, longPolls }) => {
  app.post('/campaigns/:campaign_id/claims', { config: { role: 'work' }, schema }, async ({ params, body }, reply) => {
    const options = { limit: longPolls, seconds: body.wait_seconds ?? 0 }
    const { claims, state, done } = await longPoll(reply, options, (wait) =>
      service.campaigns.claim(params.campaign_id, body, wait),
    )
    return { claims: claims.map(toResponse), state, done }
  })
}

function toResponse({ experiment, lease_expires_at }: GrantedClaim): typeof Claim.static {
  const seconds = experiment.lease?.seconds ?? 0
  return {
    experiment,
    attempt: experiment.attempt,
    lease_seconds: seconds,
    lease_expires_at,
    heartbeat_seconds: Math.round((seconds / BEATS) * 1000) / 1000,
  }
}
