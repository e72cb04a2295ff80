import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '../../../domain/schema.ts'
import { CampaignChangeEvent, CampaignGoneEvent, CampaignsSnapshotEvent } from '../../../live/event-data.ts'
import type { RouteDependencies } from '../../dependencies.ts'
import { responses } from '../../openapi/responses.ts'
import { NoQuery } from '../../requests/parameters.ts'
import { eventStream, LastEventId } from './event-stream-schema.ts'
import { stream } from './stream.ts'

const schema = {
  operationId: 'streamCampaigns',
  tags: ['events'],
  summary: 'Every change of any campaign, in summaries',
  description:
    'Server-Sent Events. First `snapshot` (CampaignsSnapshotEvent), whose data is empty but for `reset: true` when you asked to ' +
    'go on and cannot: list the campaigns then. From there on `created` and `change` (CampaignChangeEvent), `deleted` and `corrupt` ' +
    '(CampaignGoneEvent). Ids are of one run of the service.',
  headers: LastEventId,
  querystring: NoQuery,
  response: responses({
    success: {
      200: {
        description: 'Events until one side ends it',
        ...eventStream(ref(CampaignsSnapshotEvent), ref(CampaignChangeEvent), ref(CampaignGoneEvent)),
      },
    },
    kind: 'read',
    problems: ['too-many-streams', 'draining'],
  }),
}

export const streamCampaigns: FastifyPluginAsyncTypebox<RouteDependencies> = async (app, { service, streams }) => {
  const options = { config: { role: 'read' as const }, exposeHeadRoute: false, schema }
  app.get('/events', options, async (_request, reply) => {
    await stream(reply, streams, (last, open) => service.events.subscribeToAll(last, open))
  })
}
