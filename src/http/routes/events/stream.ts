import type { FastifyReply } from 'fastify'
import type { EventSink } from '../../../live/event-channel.ts'
import type { Unsubscribe } from '../../../repository/campaign-store.ts'
import { HttpError } from '../../problems/problem.ts'
import type { ConcurrencyLimit } from '../../replies/concurrency-limit.ts'
import { openEventStream } from '../../replies/event-stream.ts'

/** Streams what comes after the event of the id, into the sink that is opened for it; null: the service stops. */
type Read = (lastEventId: string | null, open: () => EventSink) => Promise<Unsubscribe | null> | Unsubscribe | null

/**
 * Gives the connection of a reply to a stream, until either side ends it.
 * @throws HttpError `too-many-streams`, `draining`
 */
export async function stream(reply: FastifyReply, streams: ConcurrencyLimit, read: Read): Promise<void> {
  reply.raw.once('close', streams.acquire(reply.request.ip))
  const last = reply.request.headers['last-event-id']
  const leave = await read(typeof last === 'string' ? last : null, () => openEventStream(reply))
  if (leave === null) throw new HttpError('draining', 'The service is stopping.')
  if (reply.raw.destroyed) leave()
  else reply.raw.once('close', leave)
}
