import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CampaignManifestEntry } from '../../../domain/experiment/experiment.ts'
import { findExperiment } from '../../../domain/operations/report.ts'
import { ref } from '../../../domain/schema.ts'
import type { RouteDependencies } from '../../dependencies.ts'
import { responses } from '../../openapi/responses.ts'
import { entityTag, isKnown } from '../../replies/entity-tag.ts'
import { ExperimentParams, IfNoneMatch, NoQuery } from '../../requests/parameters.ts'

const schema = {
  operationId: 'getExperiment',
  tags: ['experiments'],
  summary: 'One experiment',
  params: ExperimentParams,
  headers: IfNoneMatch,
  querystring: NoQuery,
  response: responses({
    success: {
      200: { description: 'The experiment', schema: ref(CampaignManifestEntry), headers: ['etag'] },
      304: { description: 'As you know it', schema: null },
    },
    kind: 'read',
    problems: ['campaign-not-found', 'campaign-corrupt', 'experiment-not-found'],
  }),
}

export const getExperiment: FastifyPluginAsyncTypebox<RouteDependencies> = async (app, { service }) => {
  app.get(
    '/campaigns/:campaign_id/experiments/:exp_id',
    { config: { role: 'read' }, schema },
    async (request, reply) => {
      const { campaign_id, exp_id } = request.params
      const { campaign } = await service.campaigns.read(campaign_id)
      const experiment = findExperiment(campaign, exp_id)
      const tag = entityTag({ uid: campaign.header.uid, revision: experiment.revision })
      return isKnown(request, reply, tag) ? undefined : experiment
    },
  )
}
