import type { Readable } from 'node:stream'
import { createGunzip, type Gunzip } from 'node:zlib'
import type { FastifyRequest } from 'fastify'
import { HttpError } from '../problems/problem.ts'
import { IncomingBody } from './incoming-body.ts'
import type { IncomingBytes } from './incoming-bytes.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The setting that raises the limit of the body; without it nothing does. */
    readonly bodyLimitSetting?: string
  }
}

/** So large that each is a mapping of its own, which goes back to the system: chunks of 64 KiB stayed with the process. */
const CHUNK = 256 * 1024
/** Bytes of memory that zlib takes to unpack a body: its window, its state and what it has touched of a chunk. */
const UNPACKING = 112 * 1024

/** Content codings of a body that are taken. */
const GZIP: ReadonlySet<string | undefined> = new Set(['gzip', 'x-gzip'])

/** Called once. Whoever gets the body ends it. */
type OnBody = (result: IncomingBody | Error) => void

interface Incoming {
  readonly request: FastifyRequest
  readonly payload: Readable
  /** All bodies that are on their way. */
  readonly incoming: IncomingBytes
}

/** True for a body that is sent as gzip, false for one that is sent as it is; null: it is sent in a way that is not taken. */
export function isGzip(request: FastifyRequest): boolean | null {
  const coding = request.headers['content-encoding']?.toLowerCase()
  if (coding === undefined || coding === 'identity') return false
  return GZIP.has(coding) ? true : null
}

/** The refusal of a body that is longer than its route takes. */
export function bodyTooLarge({ routeOptions: { bodyLimit, config } }: FastifyRequest): HttpError {
  const figure = `${bodyLimit.toLocaleString('en')} bytes`
  const remedy =
    config.bodyLimitSetting === undefined ? 'no setting raises it' : `the setting ${config.bodyLimitSetting} raises it`
  return new HttpError('body-too-large', `The body is larger than ${figure}, the limit of this call: ${remedy}.`)
}

/**
 * Reads the body to its end, unpacked. It is never longer than its route takes: what unpacks to more is refused as soon as it does.
 * Fastify's own reader does not unpack, and decodes what is no text.
 */
export function readBody(body: Incoming, done: OnBody): void {
  if (isGzip(body.request) === true) readGzip(body, done)
  else collect(body.payload, body, done)
}

function readGzip(body: Incoming, done: OnBody): void {
  const { payload } = body
  const gunzip = createGunzip({ chunkSize: CHUNK })
  // Not `pipeline`: with the one it would end the other, and the connection with the request.
  payload.once('error', (error) => gunzip.destroy(error))
  collect(payload.pipe(gunzip), body, (result) => {
    if (result instanceof Error) stop(payload, gunzip)
    done(isOfZlib(result) ? new HttpError('malformed-encoding', `The body is not gzip: ${result.message}.`) : result)
  })
}

/** What still arrives is neither unpacked nor read: whoever ends the connection decides about it. */
function stop(payload: Readable, gunzip: Gunzip): void {
  payload.unpipe(gunzip)
  gunzip.on('error', () => undefined).destroy()
}

function isOfZlib(result: IncomingBody | Error): result is Error {
  return result instanceof Error && 'code' in result && String(result.code).startsWith('Z_')
}

/** @param source the body, or what it unpacks to */
function collect(source: Readable, { request, payload, incoming }: Incoming, done: OnBody): void {
  const body = new IncomingBody({
    limit: request.routeOptions.bodyLimit,
    ...{ together: incoming, overhead: source === payload ? 0 : UNPACKING },
    cut: () => request.raw.socket.destroy(),
  })
  const finish: OnBody = (result) => {
    source.removeListener('data', onData).removeListener('end', onEnd).removeListener('error', finish)
    if (result instanceof Error) body.end()
    done(result)
  }
  const onData = (piece: Buffer) => {
    const excess = body.add(piece)
    if (excess === null) return
    payload.pause()
    finish(excess === 'too-large' ? bodyTooLarge(request) : tooMuchIncoming())
  }
  const onEnd = () => {
    body.finish()
    finish(body)
  }
  source.on('data', onData).on('end', onEnd).on('error', finish)
}

function tooMuchIncoming(): HttpError {
  return new HttpError('too-much-incoming', 'The bodies of other requests leave no room for this one.')
}
