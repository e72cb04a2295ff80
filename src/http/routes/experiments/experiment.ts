import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Campaign } from '../../../domain/campaign/campaign.ts'
import { experimentJson } from '../../../domain/formats/manifest-json.ts'
import type { ExperimentReport } from '../../../domain/operations/report-request.ts'
import { findExperiment, updateExperiment } from '../../../domain/operations/report.ts'
import { responses } from '../../openapi/responses.ts'
import type { RouteDependencies } from '../../app.ts'
import { experimentTag, ifMatch, isKnown } from '../../replies/entity-tag.ts'
import { jsonReply } from '../../replies/json.ts'
import { ExperimentParams, IfMatch, IfNoneMatch, NoQuery, Timezone, timezoneOf } from '../../requests/parameters.ts'

const entry = { schema: Type.Ref('CampaignManifestEntry'), headers: ['etag'] as const }

export const experimentRoutes: FastifyPluginAsyncTypebox<RouteDependencies> = async (
  app,
  { repository, leases, now },
) => {
  app.get(
    '/campaigns/:campaign_id/experiments/:exp_id',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'getExperiment',
        tags: ['experiments'],
        summary: 'One experiment',
        params: ExperimentParams,
        headers: IfNoneMatch,
        querystring: NoQuery,
        response: responses({
          success: {
            200: { description: 'The experiment', ...entry },
            304: { description: 'As you know it', schema: null },
          },
          kind: 'read',
          problems: ['campaign-not-found', 'campaign-corrupt', 'experiment-not-found'],
        }),
      },
    },
    async (request, reply) => {
      const { campaign_id, exp_id } = request.params
      const campaign = await repository.read(campaign_id)
      const experiment = findExperiment(campaign, exp_id)
      if (isKnown(request, reply, experimentTag(campaign, experiment))) return undefined
      return experiment
    },
  )

  app.patch(
    '/campaigns/:campaign_id/experiments/:exp_id',
    {
      config: { role: 'work' },
      schema: {
        operationId: 'reportExperiment',
        tags: ['experiments'],
        summary: 'Report the status of an experiment',
        description: 'May be repeated: a report that says what is known changes nothing and answers 200.',
        params: ExperimentParams,
        headers: IfMatch,
        querystring: Type.Object({ timezone: Timezone }, { additionalProperties: false }),
        body: Type.Unsafe<ExperimentReport>(Type.Ref('ExperimentReport')),
        response: responses({
          success: { 200: { description: 'The experiment as it is then', ...entry } },
          kind: 'write',
          problems: [
            'campaign-not-found',
            'campaign-corrupt',
            'experiment-not-found',
            'already-running',
            'not-the-owner',
            'stale-attempt',
            'transition-refused',
            'precondition-failed',
          ],
        }),
      },
    },
    async (request, reply) => {
      const { campaign_id, exp_id } = request.params
      const when = { now: now(), timezone: timezoneOf(request.query) }
      const { experiment, json, tag } = await repository.update(
        campaign_id,
        ifMatch(request, tagOf(exp_id), (campaign) => {
          const { changes, result } = updateExperiment(campaign, exp_id, request.body, when)
          return {
            changes,
            result: { experiment: result, json: experimentJson(result), tag: experimentTag(campaign, result) },
          }
        }),
      )
      leases.renew(campaign_id, experiment)
      return jsonReply(reply.header('etag', tag), json)
    },
  )
}

function tagOf(expId: string): (campaign: Campaign) => string | null {
  return (campaign) => {
    const experiment = campaign.get(expId)
    return experiment === undefined ? null : experimentTag(campaign, experiment)
  }
}
