import type { FastifyReply } from 'fastify'
import type { EventSink } from '../../live/reader-group.ts'

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'private, no-cache, no-transform',
  // A reverse proxy that gathers what it passes on would hold events back.
  'x-accel-buffering': 'no',
}

/** Takes the connection of a reply over for Server-Sent Events. */
export function openEventStream(reply: FastifyReply): EventSink {
  // How long it lasts is its reader's affair.
  reply.isHeld = true
  reply.finishResponse()
  reply.hijack()
  const { raw } = reply
  // Its end is that of the connection: to wrap each write in a chunk took more than the write.
  raw.useChunkedEncodingByDefault = false
  raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...HEADERS })
  raw.flushHeaders()
  return {
    write: (bytes) => {
      raw.write(bytes)
    },
    get backlog() {
      return raw.writableLength
    },
    end: () => {
      raw.end()
    },
    drop: () => {
      raw.destroy()
    },
  }
}
