import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { headerProperties } from '../../../domain/campaign/manifest.ts'
import { CampaignManifestEntry } from '../../../domain/experiment/experiment.ts'
import { ExperimentDraft, MAX_EXPERIMENTS } from '../../../domain/operations/draft.ts'
import { ref } from '../../../domain/schema.ts'
import type { RouteDependencies } from '../../dependencies.ts'
import { responses } from '../../openapi/responses.ts'
import { preconditionOf } from '../../replies/entity-tag.ts'
import { CampaignParams, IfMatch, Timezone, timezoneOf } from '../../requests/parameters.ts'

const Appended = Type.Object(
  {
    experiments: Type.Array(ref(CampaignManifestEntry), { description: 'In manifest order' }),
    revision: headerProperties.revision,
  },
  { additionalProperties: false, description: 'The experiments as they stand' },
)

const Append = Type.Object(
  {
    experiments: Type.Array(ref(ExperimentDraft), {
      minItems: 1,
      maxItems: MAX_EXPERIMENTS,
      description: 'To be run after those that are there',
    }),
  },
  { additionalProperties: false, examples: [{ experiments: ExperimentDraft.examples as unknown[] }] },
)

const schema = {
  operationId: 'appendExperiments',
  tags: ['experiments'],
  summary: 'Append experiments',
  description: 'May be repeated: experiments that are there with the same definition stay as they stand.',
  params: CampaignParams,
  headers: IfMatch,
  querystring: Type.Object({ timezone: Timezone }, { additionalProperties: false }),
  body: Append,
  response: responses({
    success: {
      200: { description: 'All of them were there already', schema: Appended },
      201: { description: 'Appended', schema: Appended },
    },
    kind: 'write',
    problems: ['campaign-not-found', 'campaign-corrupt', 'experiment-exists', 'precondition-failed'],
  }),
}

export const appendExperiments: FastifyPluginAsyncTypebox<RouteDependencies> = async (app, { service, limits }) => {
  app.post(
    '/campaigns/:campaign_id/experiments',
    { bodyLimit: limits.bodyLimit, config: { role: 'admin' }, schema },
    async (request, reply) => {
      const { params, query, body } = request
      const { created, ...appended } = await service.campaigns.append(params.campaign_id, body.experiments, {
        timezone: timezoneOf(query),
        precondition: preconditionOf(request),
      })
      reply.code(created ? 201 : 200)
      return appended
    },
  )
}
