import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { claim, type ClaimRequest, claimUnchanged, type Claimed } from '../../../domain/operations/claim.ts'
import { Attempt, LeaseSeconds, Timestamp, type Experiment } from '../../../domain/experiment/experiment.ts'
import { CampaignState } from '../../../domain/campaign/campaign-state.ts'
import { Described } from '../../../domain/schema.ts'
import { responses } from '../../openapi/responses.ts'
import type { RouteDependencies } from '../../app.ts'
import { longPoll } from '../../replies/long-poll.ts'
import { CampaignParams, NoQuery } from '../../requests/parameters.ts'

/** Heartbeats in a lease period when they come as advised: two may be lost. */
const BEATS = 3

const Claim = Type.Object(
  {
    experiment: Type.Unsafe<Experiment>(Type.Ref('CampaignManifestEntry')),
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

export const claimsRoutes: FastifyPluginAsyncTypebox<RouteDependencies> = async (
  app,
  { repository, leases, feed, waiting, now },
) => {
  app.post(
    '/campaigns/:campaign_id/claims',
    {
      config: { role: 'work' },
      schema: {
        operationId: 'claimExperiments',
        tags: ['workers'],
        summary: 'Claim the next experiments to run',
        description:
          'Hands out pending experiments in manifest order, then failed ones that have retries left; each is started and leased to ' +
          'the worker, durably, before the answer. Repeat it with the same claim_id when an answer is lost.',
        params: CampaignParams,
        querystring: NoQuery,
        body: Type.Unsafe<ClaimRequest>(Type.Ref('ClaimRequest')),
        response: responses({
          success: { 200: { description: 'What the worker is to run', schema: ClaimAnswer } },
          kind: 'write',
          problems: ['campaign-not-found', 'campaign-corrupt', 'too-many-waiting'],
        }),
      },
    },
    async (request, reply) => {
      const { campaign_id } = request.params
      const holding = { feed, waiting, campaignId: campaign_id, seconds: request.body.wait_seconds ?? 0 }
      const look = (times: number) => (times === 0 ? take() : takeIfThereIs())
      const { experiments, state, done } = await longPoll(reply, holding, look, isWorthAnswering)
      return { claims: experiments.map((experiment) => onTheWire(campaign_id, experiment)), state, done }

      function take(): Promise<Claimed> {
        return repository.update(campaign_id, (campaign) => claim(campaign, request.body, now()))
      }

      /** Many may wait for few: whoever finds nothing in what is committed need not ask for a decision. */
      async function takeIfThereIs(): Promise<Claimed> {
        return claimUnchanged(await repository.read(campaign_id), request.body) ?? take()
      }
    },
  )

  function onTheWire(campaignId: string, experiment: Experiment): typeof Claim.static {
    leases.renew(campaignId, experiment)
    const seconds = experiment.lease?.seconds ?? 0
    const time = leases.time(campaignId, experiment)
    return {
      experiment,
      attempt: experiment.attempt,
      lease_seconds: seconds,
      // Given up between the commit and the answer: the first heartbeat will tell.
      lease_expires_at: time?.lease_expires_at ?? now(),
      heartbeat_seconds: Math.round((seconds / BEATS) * 1000) / 1000,
    }
  }
}

function isWorthAnswering({ experiments, done }: Claimed): boolean {
  return experiments.length > 0 || done
}
