import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { EventSink } from '../../live/event-channel.ts'
import type { Limits } from '../limits.ts'
import { ConcurrencyLimit } from './concurrency-limit.ts'

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'private, no-cache, no-transform',
  // A reverse proxy that buffers responses would delay events.
  'x-accel-buffering': 'no',
}

export function streamLimit({ maxStreams, maxStreamsPerAddress }: Limits): ConcurrencyLimit {
  return new ConcurrencyLimit({
    problem: 'too-many-streams',
    subject: 'streams of events',
    total: { name: 'CAMPAIGND_MAX_STREAMS', value: maxStreams },
    perAddress: { name: 'CAMPAIGND_MAX_STREAMS_PER_ADDRESS', value: maxStreamsPerAddress },
  })
}

/** For a HEAD: the headers of a stream, which has no length, and none of its events. */
export function noEvents(reply: FastifyReply): Readable {
  reply.headers(HEADERS)
  return Readable.from([])
}

/** Takes over the connection of a reply for Server-Sent Events. */
export function openEventStream(reply: FastifyReply): EventSink {
  reply.isLongLived = true
  reply.runResponseHooks()
  reply.hijack()
  const { raw } = reply
  // Not chunked: the end of the connection ends the stream, and framing each write as a chunk costs more than the write.
  raw.useChunkedEncodingByDefault = false
  raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...HEADERS })
  raw.flushHeaders()
  return {
    write: (bytes) => void raw.write(bytes),
    get backlog() {
      return raw.writableLength
    },
    end: () => void raw.end(),
    drop: () => void raw.destroy(),
  }
}
