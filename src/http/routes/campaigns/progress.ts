import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { Campaign } from '../../../domain/campaign/campaign.ts'
import { hasEnded } from '../../../domain/campaign/campaign-state.ts'
import { StringEnum } from '../../../domain/schema.ts'
import { progressJson } from '../../../live/progress-json.ts'
import { responses } from '../../openapi/responses.ts'
import type { RouteDependencies } from '../../app.ts'
import { campaignTag, isKnown, namesTag } from '../../replies/entity-tag.ts'
import { longPoll } from '../../replies/long-poll.ts'
import { jsonReply } from '../../replies/json.ts'
import { CampaignParams, IfNoneMatch } from '../../requests/parameters.ts'

const ProgressQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 60,
        description: 'Hold the answer until the ETag is another one than that of If-None-Match, for so many seconds',
        examples: [30],
      }),
    ),
    until: Type.Optional(StringEnum(['end'], { description: 'With wait: hold it until the campaign has ended' })),
  },
  { additionalProperties: false },
)

export const progressRoutes: FastifyPluginAsyncTypebox<RouteDependencies> = async (
  app,
  { repository, feed, waiting },
) => {
  app.get(
    '/campaigns/:campaign_id/progress',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'getProgress',
        tags: ['campaigns'],
        summary: 'How far a campaign has come',
        description:
          'To follow a campaign, repeat it with `wait` and the last ETag. To wait for its end, repeat `?wait=60&until=end` ' +
          'until the state is `completed` or `failed`.',
        params: CampaignParams,
        headers: IfNoneMatch,
        querystring: ProgressQuery,
        response: responses({
          success: {
            200: { description: 'The progress', schema: Type.Ref('Progress'), headers: ['etag'] },
            304: { description: 'As you know it, also when the time is over', schema: null },
          },
          kind: 'read',
          problems: ['campaign-not-found', 'campaign-corrupt', 'too-many-waiting'],
        }),
      },
    },
    async (request, reply) => {
      const { campaign_id } = request.params
      const holding = { feed, waiting, campaignId: campaign_id, seconds: request.query.wait ?? 0 }
      const campaign = await longPoll(reply, holding, () => repository.read(campaign_id), isWorthTelling(request))
      if (isKnown(request, reply, campaignTag(campaign))) return undefined
      return jsonReply(reply, progressJson(campaign))
    },
  )
}

function isWorthTelling(
  request: FastifyRequest & { readonly query: typeof ProgressQuery.static },
): (campaign: Campaign) => boolean {
  if (request.query.until === 'end') return hasEnded
  return (campaign) => !namesTag(request, campaignTag(campaign))
}
