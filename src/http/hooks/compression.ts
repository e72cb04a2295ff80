import { pipeline, Readable } from 'node:stream'
import { createGzip, gzip } from 'node:zlib'
import type { FastifyReply } from 'fastify'
import { gzipTag, varyBy } from '../replies/entity-tag.ts'

/** Bytes: what is shorter fits into one packet as it is. */
const SHORT = 1024

/** Responses that are compressed at the same time, each with a quarter of a MiB of zlib; more are sent as they are. */
const MOST_AT_ONCE = 32

/** The quickest level: manifests and pages shrink to a tenth by it. */
const OPTIONS = { level: 1, chunkSize: 64 * 1024 }

const TEXT = /^(?:text\/(?!event-stream)|application\/(?:[\w.+-]+\+)?json|image\/svg\+xml)/

type Payload = string | Buffer | Readable

/**
 * Compresses responses for clients that accept gzip, in Node's thread pool. Not `@fastify/compress`: it compresses small responses
 * on this thread and sends all others in chunks, each behind the batch of its turn, and knows no ETag.
 */
export class Compression {
  private active = 0

  /** True for a response that is to be compressed. Says of each that could be that it depends on `Accept-Encoding`. */
  applies(reply: FastifyReply, payload: unknown): payload is Payload {
    if (!isLong(payload) || !isText(reply)) return false
    varyBy(reply, 'Accept-Encoding')
    return this.active < MOST_AT_ONCE && acceptsGzip(reply.request.headers['accept-encoding'])
  }

  /** @param done gets the body to send, or nothing when it cannot be compressed */
  compress(reply: FastifyReply, payload: Payload, done: (body?: Buffer | Readable) => void): void {
    this.active += 1
    if (payload instanceof Readable) {
      markAsGzip(reply)
      const body = pipeline(payload, createGzip(OPTIONS), () => (this.active -= 1))
      done(body)
      return
    }
    gzip(payload, OPTIONS, (error, body) => {
      this.active -= 1
      if (error === null) markAsGzip(reply)
      done(error === null ? body : undefined)
    })
  }
}

function isLong(payload: unknown): boolean {
  if (typeof payload === 'string') return payload.length > SHORT || Buffer.byteLength(payload) > SHORT
  return Buffer.isBuffer(payload) ? payload.length > SHORT : payload instanceof Readable
}

/** What is text, was not compressed already, and has no weak ETag: that one is compared elsewhere. */
function isText(reply: FastifyReply): boolean {
  if (reply.hasHeader('content-encoding') || String(reply.getHeader('etag')).startsWith('W/')) return false
  return TEXT.test(String(reply.getHeader('content-type')))
}

function markAsGzip(reply: FastifyReply): void {
  const tag = reply.getHeader('etag')
  if (tag !== undefined) reply.header('etag', gzipTag(String(tag)))
  reply.header('content-encoding', 'gzip').removeHeader('content-length')
}

/** Whether gzip is accepted, and not less than the response as it is. */
function acceptsGzip(header: string | string[] | undefined): boolean {
  if (header === undefined) return false
  const weights = new Map(String(header).toLowerCase().split(',').map(readCoding))
  const weight = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0
  return weight > 0 && weight >= (weights.get('identity') ?? 0)
}

function readCoding(text: string): [coding: string, weight: number] {
  const [coding = '', ...parameters] = text.split(';').map((part) => part.trim())
  const weight = parameters.find((one) => one.startsWith('q='))?.slice(2)
  return [coding, weight === undefined ? 1 : Number(weight)]
}
