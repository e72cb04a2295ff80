import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { withoutChunks } from '../../live/http-chunk.ts'
import type { EventSink } from '../../live/stream-reader.ts'
import type { Backlog } from '../connections/backlog.ts'
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

/** For a HEAD: the headers of a stream, which has no length, and none of its events. */
export function noEvents(reply: FastifyReply): Readable {
  reply.headers(HEADERS)
  return Readable.from([])
}

/** Milliseconds in which a connection that has bytes to send has to take some. */
const STANDSTILL_MS = 5000

const LAST_CHUNK = Buffer.from('0\r\n\r\n')

/** Takes over the connection of a reply for Server-Sent Events. What is written to it are chunks. */
export function openEventStream(reply: FastifyReply, connections: Connections): EventSink {
  reply.isLongLived = true
  reply.runResponseHooks()
  reply.hijack()
  const { raw } = reply
  const { backlog } = connections.of(reply.request)
  const isChunked = reply.request.raw.httpVersion !== '1.0'
  const encoding = isChunked ? { 'transfer-encoding': 'chunked' } : {}
  raw.useChunkedEncodingByDefault = false
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    ...HEADERS,
    ...encoding,
    connection: 'close',
  })
  // Node would make a chunk of each write.
  raw.chunkedEncoding = false
  raw.flushHeaders()
  return isChunked ? chunkedSink(raw, backlog) : plainSink(raw, backlog)
}

function chunkedSink(raw: ServerResponse, backlog: Backlog): EventSink {
  return {
    write: (bytes) => {
      if (raw.writableEnded) return false
      const takesMore = raw.write(bytes)
      backlog.measure()
      return takesMore
    },
    get backlog() {
      return raw.writableLength
    },
    listen: (listener) => {
      raw.on('drain', () => listener.onDrain())
      // Called again and again, for as long as the connection takes nothing.
      raw.setTimeout(STANDSTILL_MS, () => {
        if (raw.writableLength > 0) listener.onStandstill()
        if (!raw.destroyed) raw.setTimeout(STANDSTILL_MS)
      })
    },
    // It may end for more than one reason: once the campaign is deleted, the token may be revoked.
    end: () => {
      if (!raw.writableEnded) raw.end(LAST_CHUNK)
    },
    drop: () => void raw.destroy(),
  }
}

/** For HTTP/1.0, as nginx asks by default: the end of the connection ends the stream. */
function plainSink(raw: ServerResponse, backlog: Backlog): EventSink {
  const chunked = chunkedSink(raw, backlog)
  return {
    ...chunked,
    get backlog() {
      return raw.writableLength
    },
    write: (bytes) => [...withoutChunks(bytes)].map((piece) => chunked.write(piece)).every(Boolean),
    end: () => {
      if (!raw.writableEnded) raw.end()
    },
  }
}
