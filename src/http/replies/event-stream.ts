import type { FastifyReply } from 'fastify'
import type { EventSink } from '../../live/event-channel.ts'
import { ConcurrencyLimit } from '../connections/concurrency-limit.ts'
import type { Connections } from '../connections/connections.ts'
import type { Limits } from '../limits.ts'

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

/** Takes over the connection of a reply for Server-Sent Events. */
export function openEventStream(reply: FastifyReply, connections: Connections): EventSink {
  reply.isLongLived = true
  reply.runResponseHooks()
  reply.hijack()
  const { raw } = reply
  const { backlog } = connections.of(reply.request)
  // Not chunked: the end of the connection ends the stream, and framing each write as a chunk costs more than the write.
  raw.useChunkedEncodingByDefault = false
  raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...HEADERS })
  raw.flushHeaders()
  return {
    write: (bytes) => {
      raw.write(bytes)
      backlog.measure()
    },
    get backlog() {
      return raw.writableLength
    },
    end: () => void raw.end(),
    drop: () => void raw.destroy(),
  }
}
