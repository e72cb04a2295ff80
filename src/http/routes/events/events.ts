import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import type { EventSink } from '../../../live/reader-group.ts'
import type { Unsubscribe } from '../../../repository/campaign-store.ts'
import { responses } from '../../openapi/responses.ts'
import type { RouteDependencies } from '../../app.ts'
import { openEventStream } from '../../replies/event-stream.ts'
import { HttpError } from '../../problems/problem.ts'
import { CampaignParams, NoQuery } from '../../requests/parameters.ts'

const LastEventId = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      maxLength: 128,
      description: 'The id of the last event that you have: go on behind it. Browsers send it by themselves',
      examples: ['27'],
    }),
  ),
})

/** A stream of texts; what each says as its data is one of these. */
function eventStream(...data: readonly string[]) {
  return { schema: Type.Unsafe<string>({ anyOf: data.map((name) => Type.Ref(name)) }), type: 'text/event-stream' }
}

/** Streams from behind the event of the id, into the sink that is opened for it. */
type Reading = (lastEventId: string | null, open: () => EventSink) => Promise<Unsubscribe | null> | Unsubscribe | null

export const eventsRoutes: FastifyPluginAsyncTypebox<RouteDependencies> = async (app, { events, streams }) => {
  app.get(
    '/campaigns/:campaign_id/events',
    {
      config: { role: 'read' },
      // A HEAD would wait for the end of a stream that has none.
      exposeHeadRoute: false,
      schema: {
        operationId: 'streamCampaign',
        tags: ['events'],
        summary: 'Every change of a campaign, the moment it is durable',
        description:
          'Server-Sent Events. First `snapshot` (SnapshotEvent), or with Last-Event-ID exactly the changes that you missed; when ' +
          'these are not known any more, a `snapshot` with `reset: true`. Then `change` (ChangeEvent) for each commit: one may ' +
          'hold several revisions, and `previous_revision` is always the one of the event before. `deleted` or `corrupt` ' +
          '(CampaignGoneEvent) is the last one. A comment every 15 s; who reads too slowly is cut off.',
        params: CampaignParams,
        headers: LastEventId,
        querystring: NoQuery,
        response: responses({
          success: {
            200: {
              description: 'Events until one side ends it',
              ...eventStream('SnapshotEvent', 'ChangeEvent', 'CampaignGoneEvent'),
            },
          },
          kind: 'read',
          problems: ['campaign-not-found', 'campaign-corrupt', 'too-many-streams', 'draining'],
        }),
      },
    },
    async (request, reply) => {
      const { campaign_id } = request.params
      await stream(reply, (last, open) => events.readCampaign(campaign_id, last, open))
    },
  )

  app.get(
    '/events',
    {
      config: { role: 'read' },
      exposeHeadRoute: false,
      schema: {
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
              ...eventStream('CampaignsSnapshotEvent', 'CampaignChangeEvent', 'CampaignGoneEvent'),
            },
          },
          kind: 'read',
          problems: ['too-many-streams', 'draining'],
        }),
      },
    },
    async (_request, reply) => {
      await stream(reply, (last, open) => events.readAll(last, open))
    },
  )

  async function stream(reply: FastifyReply, read: Reading): Promise<void> {
    reply.raw.once('close', streams.acquire(reply.request.ip))
    const last = reply.request.headers['last-event-id']
    const leave = await read(typeof last === 'string' ? last : null, () => openEventStream(reply))
    if (leave === null) throw new HttpError('draining', 'The service is stopping.')
    if (reply.raw.destroyed) leave()
    else reply.raw.once('close', leave)
  }
}
