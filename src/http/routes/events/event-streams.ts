import { type TSchema, Type } from '@sinclair/typebox'
import type { FastifyReply } from 'fastify'
import { ref } from '../../../domain/schema.ts'
import {
  CampaignChangeEvent,
  CampaignGoneEvent,
  CampaignsSnapshotEvent,
  ChangeEvent,
  SnapshotEvent,
} from '../../../live/event-data.ts'
import { HeartbeatEvent } from '../../../live/heartbeats/heartbeat-event.ts'
import type { EventSink } from '../../../live/stream-reader.ts'
import type { Unsubscribe } from '../../../repository/campaign-store.ts'
import type { Route, RouteDependencies } from '../../dependencies.ts'
import { OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
import { unauthorized } from '../../problems/access-refusal.ts'
import { HttpError } from '../../problems/problem.ts'
import { noEvents, openEventStream } from '../../replies/event-stream.ts'
import { Header } from '../../requests/header-format.ts'
import { CampaignParams, NoQuery } from '../../requests/parameters.ts'

const OPTIONS = { config: { role: 'read' } } as const

const LastEventId = Type.Object({
  'last-event-id': Type.Optional(
    Header({
      maxLength: 128,
      description: 'Id of the last event that the client has: continue after it. Browsers send it by themselves',
      examples: ['5f0c1e9a7b3d2468-27'],
    }),
  ),
})

/** A stream of texts, each with data of one of the schemas. */
function eventStream(...data: readonly TSchema[]) {
  return { schema: Type.Unsafe<string>({ anyOf: data }), type: 'text/event-stream' }
}

const campaignSchema = {
  operationId: 'streamCampaign',
  tags: ['events'],
  summary: 'Every change of a campaign, the moment it is durable',
  description:
    'Server-Sent Events. First `snapshot` (SnapshotEvent), or with Last-Event-ID one `change` with all that was missed; when ' +
    'that is too much, or the id is not of this campaign, a `snapshot` with `reset: true`. Then `change` (ChangeEvent) for ' +
    'each commit: one may hold several revisions, and `previous_revision` is always that of the change before. A change ' +
    'above 256 KiB comes in several `change` events with `part` and `parts`; only the last has an id, so that a reader ' +
    'which lost its connection in the middle resumes before the change. A reader that falls behind gets what it missed as ' +
    'one change, or a `snapshot` with `reset: true`. `heartbeat` (HeartbeatEvent), without an id and once a second at most, has ' +
    'the running experiments whose progress or note changed; it is not repeated for readers that come later, or that fall ' +
    'behind: the list of workers has the same. `deleted` or `corrupt` (CampaignGoneEvent) is the last event. A ' +
    'comment every 15 s. A reader is disconnected when it reads nothing while more than 1 MiB waits for it.',
  params: CampaignParams,
  headers: LastEventId,
  querystring: NoQuery,
  response: responses('read', [...OF_CAMPAIGN, 'too-many-streams', 'draining'], {
    200: {
      description: 'Events until one side ends it',
      ...eventStream(ref(SnapshotEvent), ref(ChangeEvent), ref(HeartbeatEvent), ref(CampaignGoneEvent)),
    },
  }),
}

export const streamCampaign: Route = async (app, dependencies) => {
  const { campaigns, events } = dependencies.service
  app.get(
    '/campaigns/:campaign_id/events',
    { ...OPTIONS, schema: campaignSchema },
    async ({ params, method }, reply) => {
      if (method === 'HEAD') {
        await campaigns.read(params.campaign_id)
        return noEvents(reply)
      }
      await stream(reply, dependencies, (last, open) => events.subscribe(params.campaign_id, last, open))
      return undefined
    },
  )
}

const campaignsSchema = {
  operationId: 'streamCampaigns',
  tags: ['events'],
  summary: 'Every change of any campaign, in summaries',
  description:
    'Server-Sent Events. First `snapshot` (CampaignsSnapshotEvent), whose data is empty, but for `reset: true` when the ' +
    'stream cannot continue after Last-Event-ID: list the campaigns then. After it `created` and `change` ' +
    '(CampaignChangeEvent), `deleted` and `corrupt` (CampaignGoneEvent). Ids are of one run of the service.',
  headers: LastEventId,
  querystring: NoQuery,
  response: responses('read', ['too-many-streams', 'draining'], {
    200: {
      description: 'Events until one side ends it',
      ...eventStream(ref(CampaignsSnapshotEvent), ref(CampaignChangeEvent), ref(CampaignGoneEvent)),
    },
  }),
}

export const streamCampaigns: Route = async (app, dependencies) => {
  const { events } = dependencies.service
  app.get('/events', { ...OPTIONS, schema: campaignsSchema }, async ({ method }, reply) => {
    if (method === 'HEAD') return noEvents(reply)
    await stream(reply, dependencies, (last, open) => events.subscribeToAll(last, open))
    return undefined
  })
}

/** Subscribes the opened sink to the events after the id; null: the service is stopping. */
type Read = (lastEventId: string | null, open: () => EventSink) => Promise<Unsubscribe | null> | Unsubscribe | null

/**
 * Keeps the connection of a reply for a stream until either side ends it, or the token is revoked.
 * @throws HttpError `too-many-streams`, `draining`, `unauthorized`
 */
async function stream(
  reply: FastifyReply,
  { connections, streams }: Pick<RouteDependencies, 'connections' | 'streams'>,
  read: Read,
): Promise<void> {
  const held = connections.hold(reply)
  if (held.ended === 'revoked') throw unauthorized(reply, 'The token was revoked.')
  held.occupy(streams)
  const last = reply.request.headers['last-event-id']
  let sink: EventSink | null = null
  const open = () => (sink = openEventStream(reply, connections))
  const unsubscribe = await read(typeof last === 'string' ? last : null, open)
  if (unsubscribe === null) throw new HttpError('draining', 'The service is stopping.')
  held.onEnd(() => {
    unsubscribe()
    if (held.ended === 'revoked') sink?.end()
  })
}
