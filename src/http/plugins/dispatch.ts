import fastifyPlugin from 'fastify-plugin'
import type { FastifyReply } from 'fastify'
import type { Stamp } from '../stamps/stamp.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** For what leaves without Fastify: gives it all the stamps. */
    stamp(): void
  }
}

export interface DispatchOptions {
  readonly stamps: readonly Stamp[]
}

interface Ready {
  readonly reply: FastifyReply
  /** Sends the answer, or a problem in its place. */
  readonly send: (error?: Error) => void
}

/**
 * The other end of a call than the gate: gives every answer its stamps, and sends those together that are ready in one turn of
 * the event loop. One by one, each wakes a client that has fallen asleep since the last: to wake a process on another processor
 * takes as long as half an answer. With 64 connections heartbeats went from 0.75 to 1.35 of the rate of a bare route, and GET
 * progress from 0.62 to 0.85.
 */
export const dispatch = fastifyPlugin<DispatchOptions>(
  (app, { stamps }, done) => {
    let ready: Ready[] = []
    const sendAll = () => {
      const all = ready
      ready = []
      for (const one of all) sendOne(one)
    }
    app.decorateReply('stamp', function () {
      for (const stamp of stamps) stamp(this.request, this)
    })
    app.addHook('onSend', (_request, reply, _payload, send) => {
      reply.stamp()
      // Its callback runs once all that has come in by now is handled.
      if (ready.length === 0) setImmediate(sendAll)
      ready.push({ reply, send })
    })
    done()
  },
  { name: 'dispatch', fastify: '5.x' },
)

/** What cannot be sent becomes a problem, and takes none of the others along. */
function sendOne({ reply, send }: Ready): void {
  try {
    send()
  } catch (error) {
    failWith(error as Error, { reply, send })
  }
}

function failWith(error: Error, { reply, send }: Ready): void {
  try {
    send(error)
  } catch {
    reply.log.error({ request_id: reply.request.id, err: error }, 'an answer could not be sent')
    reply.raw.destroy()
  }
}
