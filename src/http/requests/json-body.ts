import { isUtf8 } from 'node:buffer'
import type { FastifyRequest, preValidationHookHandler } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { inTurns } from '../../runtime/turns.ts'
import { readBody } from './body.ts'
import { MAX_DEPTH, refuseUnfit } from './fit-values.ts'
import type { IncomingBody } from './incoming-body.ts'
import type { IncomingBytes } from './incoming-bytes.ts'
import { LargeBodies } from './large-bodies.ts'
import { malformed, notUtf8, parseLargeBody } from './large-body.ts'

/** Bytes of a body above which it is parsed in slices: others would have to wait. */
const LONG = 256 * 1024
/** Bytes above which calls take bodies that wait for nothing else themselves, unless they let go of it before. */
const LARGE = 1024 * 1024
/** Characters: a text up to this length is cheap to parse at any depth. */
const CHEAP_LENGTH = 4096

declare module 'fastify' {
  interface FastifyRequest {
    /** To be called before a call waits: its body is in memory no more, and others get their turn. */
    letGoOfBody(this: FastifyRequest): void
  }
}

export interface JsonBodyOptions {
  /** All bodies that are on their way. */
  readonly incoming: IncomingBytes
  /** Aborts when the service stops: a large body is parsed no further then. */
  readonly stopping: AbortSignal
}

/** JSON is the only type of body. Values that JSON allows and no manifest can hold are refused here. */
export const jsonBody = fastifyPlugin<JsonBodyOptions>(
  (app, { incoming, stopping }, done) => {
    app.removeAllContentTypeParsers()
    const large = new LargeBodies()
    app.decorateRequest('letGoOfBody', function () {
      large.end(this)
      this.body = undefined
    })
    app.addHook('onRoute', (route) => {
      if ((route.bodyLimit ?? 0) > LARGE) route.onSend = large.onSend
    })
    app.addContentTypeParser('application/json', (request, payload, parsed) => {
      readBody({ request, payload, incoming }, (result) => {
        if (result instanceof Error) parsed(result)
        else if (result.bytes.length <= LONG) parseInto(result, parsed)
        else void parseLater(request, result, { large, stopping }).then((body) => parsed(null, body), parsed)
      })
    })
    done()
  },
  { name: 'json-body', fastify: '5.x' },
)

/** Validates no body as `{}`: every field has its default. */
export const optionalBody: preValidationHookHandler = (request, _reply, done) => {
  if (request.body === undefined) request.body = {}
  done()
}

type Parsed = (error: Error | null, body?: unknown) => void

function parseInto(incoming: IncomingBody, parsed: Parsed): void {
  let body: unknown
  try {
    body = parseBody(decode(incoming.bytes))
  } catch (error) {
    parsed(error as Error)
    return
  } finally {
    incoming.end()
  }
  parsed(null, body)
}

interface LaterOptions extends Pick<JsonBodyOptions, 'stopping'> {
  readonly large: LargeBodies
}

async function parseLater(
  request: FastifyRequest,
  incoming: IncomingBody,
  { large, stopping }: LaterOptions,
): Promise<unknown> {
  try {
    const { bytes } = incoming
    await large.begin(request, bytes.length)
    return await inTurns(parseLargeBody(bytes), stopping)
  } finally {
    incoming.end()
    // The schema of such a call leaves nothing large.
    if (request.routeOptions.bodyLimit <= LARGE) large.end(request)
  }
}

/** @throws HttpError at bytes that are no text: replaced, two names could become one */
function decode(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw notUtf8()
  return bytes.toString()
}

/** @returns undefined for an empty body */
function parseBody(text: string): unknown {
  const json = text.startsWith('\ufeff') ? text.slice(1) : text
  if (json.trim() === '') return undefined
  let value: unknown
  try {
    value = JSON.parse(json.length > CHEAP_LENGTH ? cutTooDeep(json) : json)
  } catch (error) {
    throw malformed(error)
  }
  refuseUnfit(value)
  return value
}

/**
 * The text up to where it is nested too deep, with every bracket closed: `refuseUnfit` then reports the place. Parsing a deep text
 * whole would block the event loop.
 */
function cutTooDeep(json: string): string {
  let closers = ''
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at]
    if (character === '"') at = endOfString(json, at)
    else if (character === '[' || character === '{') {
      if (closers.length === MAX_DEPTH) return `${json.slice(0, at)}[]${closers}`
      closers = (character === '[' ? ']' : '}') + closers
    } else if (character === ']' || character === '}') closers = closers.slice(1)
  }
  return json
}

/** Index of the quotation mark that ends the string beginning at `begin`. */
function endOfString(json: string, begin: number): number {
  for (let at = json.indexOf('"', begin + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let escapes = 0
    while (json[at - 1 - escapes] === '\\') escapes += 1
    if (escapes % 2 === 0) return at
  }
  return json.length
}
