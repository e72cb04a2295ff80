import { Type } from '@sinclair/typebox'
import { MAX_EXPERIMENTS } from '../../../domain/campaign/campaign-size.ts'
import { headerProperties } from '../../../domain/campaign/manifest.ts'
import { CampaignManifestEntry } from '../../../domain/experiment/experiment.ts'
import { ExperimentDraft } from '../../../domain/operations/draft.ts'
import { ref, StrictObject } from '../../../domain/schema.ts'
import type { Route } from '../../dependencies.ts'
import { bodyLimits } from '../../limits.ts'
import { OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
import { preconditionOf } from '../../replies/entity-tag.ts'
import { jsonPieces, objectPieces } from '../../replies/pieces.ts'
import { CampaignParams, IfMatch, Timezone, timezoneOf } from '../../requests/parameters.ts'

const Appended = StrictObject(
  {
    experiments: Type.Array(ref(CampaignManifestEntry), { description: 'In manifest order' }),
    revision: headerProperties.revision,
  },
  { description: 'The experiments and their state' },
)

const Append = StrictObject(
  {
    experiments: Type.Array(ref(ExperimentDraft), { minItems: 1, maxItems: MAX_EXPERIMENTS, description: 'In order' }),
  },
  { examples: [{ experiments: ExperimentDraft.examples as unknown[] }] },
)

const schema = {
  operationId: 'appendExperiments',
  tags: ['experiments'],
  summary: 'Append experiments',
  description: 'May be repeated: experiments that exist with the same definition stay unchanged.',
  params: CampaignParams,
  headers: IfMatch,
  querystring: StrictObject({ timezone: Timezone }),
  body: Append,
  response: responses('write', [...OF_CAMPAIGN, 'campaign-full', 'experiment-exists', 'precondition-failed'], {
    200: { description: 'All of them existed', schema: Appended },
    201: { description: 'Appended', schema: Appended },
  }),
}

export const appendExperiments: Route = async (app, { service, limits }) => {
  app.post(
    '/campaigns/:campaign_id/experiments',
    {
      bodyLimit: bodyLimits(limits).append,
      config: { role: 'admin', bodyLimitSetting: 'CAMPAIGND_MAX_CAMPAIGN_BYTES' },
      schema,
    },
    async (request, reply) => {
      const { params, query, body } = request
      const { created, ...appended } = await service.campaigns.append(params.campaign_id, body.experiments, {
        timezone: timezoneOf(query),
        precondition: preconditionOf(request),
      })
      reply.code(created ? 201 : 200)
      return jsonPieces(reply, objectPieces(appended))
    },
  )
}
