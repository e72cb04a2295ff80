import type { FastifyReply } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { AccessLog } from './access-log.ts'
import { Compression } from './compression.ts'
import type { ResponseHook } from './response-headers.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** For a response that bypasses Fastify: runs the response hooks and records it. */
    runResponseHooks(): void
  }
}

export interface SendTogetherOptions {
  readonly hooks: readonly ResponseHook[]
  readonly record: AccessLog
}

interface PendingResponse {
  readonly reply: FastifyReply
  /** Sends the response, or a problem in its place. */
  readonly send: (error?: Error) => void
}

/**
 * Response batching: runs the response hooks on every response, and sends those together that are ready in one turn of the event
 * loop. Sent one by one, each would wake a client that sleeps again. Recorded after they are sent, so that no client waits for
 * that; not in a later turn, which would delay the next commit.
 */
export const sendTogether = fastifyPlugin<SendTogetherOptions>(
  (app, { hooks, record }, done) => {
    const compression = new Compression()
    let pending: PendingResponse[] = []
    const sendAll = () => {
      const batch = pending
      pending = []
      const sent = batch.filter(sendOne)
      for (const { reply } of sent) record(reply.request, reply)
    }
    app.decorateReply('runResponseHooks', function () {
      for (const hook of hooks) hook(this.request, this)
      if (!this.raw.destroyed) record(this.request, this)
    })
    const add = (response: PendingResponse) => {
      // Its callback runs once every request that has arrived is handled.
      if (pending.length === 0) setImmediate(sendAll)
      pending.push(response)
    }
    app.addHook('onSend', (request, reply, payload, send) => {
      for (const hook of hooks) hook(request, reply)
      if (!compression.applies(reply, payload)) add({ reply, send })
      else {
        compression.compress(reply, payload, (body) => {
          add({ reply, send: (error) => (error === undefined ? send(null, body) : send(error)) })
        })
      }
    })
    done()
  },
  { name: 'send-together', fastify: '5.x' },
)

/**
 * Sends one response of a batch; one that cannot be sent becomes a problem and leaves the others alone.
 * @returns false when its client has gone, or when a problem will be sent in its place
 */
function sendOne({ reply, send }: PendingResponse): boolean {
  const isConnected = !reply.raw.destroyed
  try {
    send()
    return isConnected
  } catch (error) {
    failWith(error as Error, { reply, send })
    return false
  }
}

function failWith(error: Error, { reply, send }: PendingResponse): void {
  try {
    send(error)
  } catch {
    reply.log.error({ request_id: reply.request.id, err: error }, 'a response could not be sent')
    reply.raw.destroy()
  }
}
