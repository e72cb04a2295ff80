import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Experiment } from '../../../domain/experiment/experiment.ts'
import {
  Attempt,
  CampaignManifestEntry,
  definitionProperties,
  LeaseSeconds,
  Timestamp,
} from '../../../domain/experiment/experiment.ts'
import { pageOfExperiments } from '../../../domain/views/experiment-list.ts'
import { Nullable } from '../../../domain/schema.ts'
import { responses } from '../../openapi/responses.ts'
import type { RouteDependencies } from '../../app.ts'
import { pageToken, readPageToken } from '../../replies/page-token.ts'
import { CampaignParams, DEFAULT_LIMIT, NextPageToken, pageProperties } from '../../requests/parameters.ts'

const { exp_id, config_name, backend, container, cycle_index } = definitionProperties

export const RunningExperiment = Type.Object(
  {
    worker: CampaignManifestEntry.properties.worker,
    ...{ exp_id, config_name, backend, container, cycle_index },
    attempt: Attempt,
    started_at: CampaignManifestEntry.properties.started_at,
    lease_seconds: Nullable(LeaseSeconds, { description: 'Null: started without a lease, so it is never lost' }),
    lease_expires_at: Nullable(Timestamp, { description: 'When the lease runs out without a heartbeat' }),
    seconds_since_heartbeat: Nullable(Type.Number({ minimum: 0 }), {
      description: 'Since the worker was last heard of, by a heartbeat or a report; null without a lease',
      examples: [4.2],
    }),
  },
  {
    $id: 'RunningExperiment',
    additionalProperties: false,
    description: 'Who runs an experiment, since when, and when he was last heard of',
  },
)

const Workers = Type.Object(
  {
    workers: Type.Array(Type.Unsafe<typeof RunningExperiment.static>(Type.Ref('RunningExperiment')), {
      description: 'One for each running experiment, in manifest order',
    }),
    next_page_token: NextPageToken,
  },
  { additionalProperties: false },
)

export const workersRoutes: FastifyPluginAsyncTypebox<RouteDependencies> = async (app, { repository, leases }) => {
  app.get(
    '/campaigns/:campaign_id/workers',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'listWorkers',
        tags: ['workers'],
        summary: 'Who holds what',
        description: 'Has no ETag: the times since the last heartbeat are others each time.',
        params: CampaignParams,
        querystring: Type.Object(pageProperties, { additionalProperties: false }),
        response: responses({
          success: { 200: { description: 'A page of running experiments', schema: Workers } },
          kind: 'read',
          problems: ['campaign-not-found', 'campaign-corrupt'],
        }),
      },
    },
    async (request) => {
      const { limit = DEFAULT_LIMIT, page_token } = request.query
      const from = page_token === undefined ? 0 : readPageToken(page_token, Type.Integer({ minimum: 0 }))
      const campaign = await repository.read(request.params.campaign_id)
      const { positions, next } = pageOfExperiments(campaign, { statuses: ['running'], equal: {}, limit, from })
      return {
        workers: positions.map((at) => runningExperiment(request.params.campaign_id, campaign.experiments.at(at))),
        next_page_token: next === null ? null : pageToken(next),
      }
    },
  )

  function runningExperiment(campaignId: string, experiment: Experiment): typeof RunningExperiment.static {
    const { worker, exp_id, config_name, backend, container, cycle_index, attempt, started_at, lease } = experiment
    const time = leases.time(campaignId, experiment)
    return {
      ...{ worker, exp_id, config_name, backend, container, cycle_index, attempt, started_at },
      lease_seconds: lease?.seconds ?? null,
      lease_expires_at: time?.lease_expires_at ?? null,
      seconds_since_heartbeat: time?.seconds_since_heartbeat ?? null,
    }
  }
}
