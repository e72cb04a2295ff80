import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '../../../domain/schema.ts'
import { CampaignGoneEvent, ChangeEvent, SnapshotEvent } from '../../../live/event-data.ts'
import type { RouteDependencies } from '../../dependencies.ts'
import { responses } from '../../openapi/responses.ts'
import { CampaignParams, NoQuery } from '../../requests/parameters.ts'
import { eventStream, LastEventId } from './event-stream-schema.ts'
import { stream } from './stream.ts'

const schema = {
  operationId: 'streamCampaign',
  tags: ['events'],
  summary: 'Every change of a campaign, the moment it is durable',
  description:
    'Server-Sent Events. First `snapshot` (SnapshotEvent), or with Last-Event-ID one `change` with all that you missed; when ' +
    'that is too much, or the id is not of this campaign, a `snapshot` with `reset: true`. Then `change` (ChangeEvent) for each commit: one may ' +
    'hold several revisions, and `previous_revision` is always the one of the event before. `deleted` or `corrupt` ' +
    '(CampaignGoneEvent) is the last one. A comment every 15 s; who reads too slowly is cut off.',
  params: CampaignParams,
  headers: LastEventId,
  querystring: NoQuery,
  response: responses({
    success: {
      200: {
        description: 'Events until one side ends it',
        ...eventStream(ref(SnapshotEvent), ref(ChangeEvent), ref(CampaignGoneEvent)),
      },
    },
    kind: 'read',
    problems: ['campaign-not-found', 'campaign-corrupt', 'too-many-streams', 'draining'],
  }),
}

export const streamCampaign: FastifyPluginAsyncTypebox<RouteDependencies> = async (app, { service, streams }) => {
  // No HEAD: it would wait for the end of a stream that has none.
  const options = { config: { role: 'read' as const }, exposeHeadRoute: false, schema }
  app.get('/campaigns/:campaign_id/events', options, async ({ params }, reply) => {
    await stream(reply, streams, (last, open) => service.events.subscribe(params.campaign_id, last, open))
  })
}
