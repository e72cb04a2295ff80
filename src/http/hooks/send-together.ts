import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { Connections } from '../connections/connections.ts'
import { HttpError } from '../problems/problem.ts'
import { BEGINNING } from '../replies/pieces.ts'
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
  readonly connections: Connections
  readonly hooks: readonly ResponseHook[]
  readonly record: AccessLog
}

interface PendingResponse {
  readonly reply: FastifyReply
  /** Sends the response, or a problem in its place. */
  readonly send: (error?: Error) => void
  /** Its bytes are where its connection counts them. */
  readonly written: () => void
}

type Send = (error?: Error | null, body?: unknown) => void

/** A longer text is sent as bytes: these wait outside of the heap, and are counted as what they are. */
const SHORT_TEXT = 16 * 1024

/** Headers that say something of a response which a problem replaces. */
const OF_CONTENT = ['etag', 'location', 'content-encoding', 'content-disposition']

/**
 * Response batching: runs the response hooks on every response, and sends those together that are ready in one turn of the event
 * loop. Sent one by one, each would wake a client that sleeps again. Recorded after they are sent, so that no client waits for
 * that; not in a later turn, which would delay the next commit. A response that is too large beside what waits for clients
 * already becomes a problem.
 */
export const sendTogether = fastifyPlugin<SendTogetherOptions>(
  (app, { connections, hooks, record }, done) => {
    const compression = new Compression()
    let pending: PendingResponse[] = []
    const sendAll = () => {
      const batch = pending
      pending = []
      const sent = batch.filter(sendOne)
      for (const { written } of batch) written()
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
    const admit = (reply: FastifyReply, body: unknown, send: Send) => {
      const { request } = reply
      const written = connections.of(request).backlog.reserve(request.method === 'HEAD' ? 0 : sizeOf(body))
      for (const hook of hooks) hook(request, reply)
      const sendOrReplace = (error?: Error) => {
        if (error === undefined) send(null, body)
        else {
          discard(body)
          send(error)
        }
      }
      add({ reply, send: sendOrReplace, written: body instanceof Readable ? atEndOf(reply, written) : written })
    }
    app.addHook('onSend', (request, reply, payload, send) => {
      const body = bodyOf(request, payload)
      if (isRefusable(reply) && !connections.of(request).backlog.hasRoomFor(sizeOf(body))) {
        discard(body)
        send(tooMuchUnsent(reply))
      } else if (!compression.applies(reply, body)) admit(reply, body, send)
      else compression.compress(reply, body, (compressed) => admit(reply, compressed ?? body, send))
    })
    done()
  },
  { name: 'send-together', fastify: '5.x' },
)

/** A read, unless it is vital. What a write changed is told in any case: its caller would repeat it. */
function isRefusable({ statusCode, request }: FastifyReply): boolean {
  return statusCode < 400 && request.method === 'GET' && request.routeOptions.config.isVital !== true
}

function bodyOf({ method }: FastifyRequest, payload: unknown): unknown {
  // Fastify would have all of it made, for nobody.
  if (method === 'HEAD' && payload instanceof Readable) {
    discard(payload)
    return Readable.from([])
  }
  return typeof payload === 'string' && payload.length > SHORT_TEXT ? Buffer.from(payload) : payload
}

function sizeOf(payload: unknown): number {
  if (typeof payload === 'string' || payload instanceof Uint8Array) return payload.length
  return payload === null || payload === undefined ? 0 : BEGINNING
}

/** A stream is written as its client reads: what it began with is in memory for as long. */
function atEndOf({ raw }: FastifyReply, work: () => void): () => void {
  return () => {
    if (raw.closed) work()
    else raw.once('close', work)
  }
}

/** What holds on to a stream that is not sent has to know. */
function discard(body: unknown): void {
  if (body instanceof Readable) body.destroy()
}

function tooMuchUnsent(reply: FastifyReply): HttpError {
  for (const name of OF_CONTENT) reply.removeHeader(name)
  return new HttpError('too-much-unsent', 'Clients that do not read leave no room for the response.')
}

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

function failWith(error: Error, { reply, send }: Pick<PendingResponse, 'reply' | 'send'>): void {
  try {
    send(error)
  } catch {
    reply.log.error({ request_id: reply.request.id, err: error }, 'a response could not be sent')
    reply.raw.destroy()
  }
}
