import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import type { Campaign } from '../../../domain/campaign/campaign.ts'
import { hasEnded } from '../../../domain/campaign/campaign-state.ts'
import { ref, StrictObject, StringEnum } from '../../../domain/schema.ts'
import { Progress } from '../../../domain/views/progress.ts'
import { progressJson } from '../../../live/progress-json.ts'
import type { Route } from '../../dependencies.ts'
import { OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
import { entityTag, isKnown, namesTag } from '../../replies/entity-tag.ts'
import { jsonReply } from '../../replies/json.ts'
import { longPoll } from '../../replies/long-poll.ts'
import { CampaignParams, IfNoneMatch } from '../../requests/parameters.ts'

const ProgressQuery = StrictObject({
  wait: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 60, description: 'Seconds to wait for another ETag at most', examples: [30] }),
  ),
  until: Type.Optional(StringEnum(['end'], { description: 'With wait: until the campaign has ended' })),
})

const schema = {
  operationId: 'getProgress',
  tags: ['campaigns'],
  summary: 'Progress of a campaign',
  description:
    'To follow a campaign, repeat it with `wait` and the last ETag. To wait for its end, repeat `?wait=60&until=end` ' +
    'until the state is `completed` or `failed`.',
  params: CampaignParams,
  headers: IfNoneMatch,
  querystring: ProgressQuery,
  response: responses('read', [...OF_CAMPAIGN, 'too-many-waiting'], {
    200: { description: 'The progress', schema: ref(Progress), headers: ['etag'] },
    304: { description: 'The client has this version already, also when the wait is over', schema: null },
  }),
}

export const getProgress: Route = async (app, dependencies) => {
  const { service } = dependencies
  app.get('/campaigns/:campaign_id/progress', { config: { role: 'read' }, schema }, async (request, reply) => {
    const { params, query } = request
    const campaign = await longPoll(reply, dependencies, query.wait ?? 0, (wait) =>
      service.campaigns.readWhen(params.campaign_id, wait, isAwaited(request, query.until)),
    )
    return isKnown(request, reply, entityTag(campaign.header)) ? undefined : jsonReply(reply, progressJson(campaign))
  })
}

/** Whether a campaign is what the long poll waits for. */
function isAwaited(request: FastifyRequest, until: 'end' | undefined): (campaign: Campaign) => boolean {
  return until === 'end' ? hasEnded : ({ header }) => !namesTag(request, entityTag(header))
}
