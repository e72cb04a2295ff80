import { Type } from '@sinclair/typebox'
import { headerProperties } from '../../../domain/campaign/manifest.ts'
import { RetryRequest } from '../../../domain/operations/retry.ts'
import { ref, StrictObject } from '../../../domain/schema.ts'
import type { Route } from '../../dependencies.ts'
import { actorOf } from '../../guards/authentication.ts'
import { bodyLimits } from '../../limits.ts'
import { OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
import { preconditionOf } from '../../replies/entity-tag.ts'
import { jsonPieces, objectPieces } from '../../replies/pieces.ts'
import { optionalBody } from '../../requests/json-body.ts'
import { CampaignParams, IfMatch, NoQuery } from '../../requests/parameters.ts'

const Retried = StrictObject(
  {
    retried: Type.Array(Type.String(), { description: 'Ids put back to pending, in manifest order' }),
    skipped: Type.Array(
      StrictObject({
        exp_id: Type.String({ description: 'Which one' }),
        reason: Type.String({ description: 'Why it stays, for people' }),
      }),
      {
        description: 'Those of exp_ids that stay unchanged, and why',
      },
    ),
    revision: headerProperties.revision,
  },
  {
    examples: [{ retried: ['0047'], skipped: [{ exp_id: '0042', reason: 'it is completed' }], revision: 28 }],
  },
)

const schema = {
  operationId: 'retryExperiments',
  tags: ['resume'],
  summary: 'Put experiments back to pending',
  description: 'Without a body: all that failed. May be repeated: what is pending already stays so.',
  params: CampaignParams,
  headers: IfMatch,
  querystring: NoQuery,
  body: ref(RetryRequest),
  response: responses('write', [...OF_CAMPAIGN, 'precondition-failed'], {
    200: { description: 'What was put back', schema: Retried },
  }),
}

export const retryExperiments: Route = async (app, { service, limits }) => {
  app.post(
    '/campaigns/:campaign_id/retry',
    {
      ...{ preValidation: optionalBody, bodyLimit: bodyLimits(limits).many },
      ...{ config: { role: 'work', isBodyOptional: true }, schema },
    },
    async (request, reply) => {
      const { params, body } = request
      const options = { precondition: preconditionOf(request), actor: actorOf(request) }
      return jsonPieces(reply, objectPieces(await service.campaigns.retry(params.campaign_id, body, options)))
    },
  )
}
