import { HttpError } from '../problems/problem.ts'
import { bodyTooLarge, isGzip } from '../requests/body.ts'
import type { Guard } from './guard.ts'

/** Methods whose body means nothing and is not read. */
const WITHOUT_BODY = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

const JSON_TYPE = /^application\/json[ \t]*(?:;|$)/i
const CHARSET = /;[ \t]*charset[ \t]*=[ \t]*"?([^";, \t]*)/i
const UTF_8 = /^utf-?8$/i

/** Refuses a body by what its headers say of it, before a byte of it is read. */
export function bodyHeaders(): Guard {
  return (request, reply) => {
    const { headers, method } = request.raw
    const length = headers['content-length']
    const hasBody = (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined
    if (!hasBody || WITHOUT_BODY.has(method ?? '')) return null
    const fault = faultOfType(headers['content-type'])
    if (fault !== null) return new HttpError('unsupported-media-type', fault)
    if (isGzip(request) === null) {
      reply.header('accept-encoding', 'gzip')
      return new HttpError('unsupported-encoding', `The body is sent as ${String(headers['content-encoding'])}.`)
    }
    return length !== undefined && Number(length) > request.routeOptions.bodyLimit ? bodyTooLarge(request) : null
  }
}

function faultOfType(type: string | undefined): string | null {
  if (type === 'application/json') return null
  if (type === undefined) return 'The body has no Content-Type.'
  if (!JSON_TYPE.test(type))
    return `The body is declared as ${JSON.stringify(type.slice(0, 256))}, not as JSON: send Content-Type: application/json.`
  const charset = CHARSET.exec(type)?.[1]
  return charset === undefined || UTF_8.test(charset)
    ? null
    : `The body is declared as ${JSON.stringify(charset.slice(0, 64))}, but JSON is read as UTF-8.`
}
