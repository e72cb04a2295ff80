import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Precondition, type Version, versionText } from '../../domain/campaign/version.ts'

/** Strong ETag of a version: of a campaign and everything derived from it, or of one experiment. It never returns. */
export function entityTag(version: Version): string {
  return `"${versionText(version)}"`
}

/** The tag of a version as CSV. It never stands for JSON: both have the same address. */
export function csvTag(version: Version): string {
  return entityTag(version).replace(/"$/, '-csv"')
}

/** The tag of a response that is sent as gzip: other bytes of the same version. */
export function gzipTag(tag: string): string {
  return tag.replace(/"$/, '-gzip"')
}

/** True when the client has this version: then the response is a 304 without a body. Sets the ETag in either case. */
export function isKnown(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  const named = namedTag(request, tag)
  reply.header('etag', named ?? tag)
  if (named !== null) varyBy(reply.code(304), 'Accept-Encoding')
  return named !== null
}

/** Says of the response that it depends on a header of the request too. */
export function varyBy(reply: FastifyReply, header: 'Accept' | 'Accept-Encoding'): void {
  const vary = reply.getHeader('vary')
  reply.header('vary', vary === undefined ? header : `${String(vary)}, ${header}`)
}

/** True when If-None-Match names the version. */
export function namesTag(request: FastifyRequest, tag: string): boolean {
  return namedTag(request, tag) !== null
}

/** The tag, as it is or as that of gzip, by which If-None-Match names the version; null: it does not. */
function namedTag(request: FastifyRequest, tag: string): string | null {
  const header = request.headers['if-none-match']
  if (header === undefined) return null
  if (header === tag) return tag
  const given = tagsOf(header).map((one) => one.replace(/^W\//, ''))
  if (given.includes(tag) || given.includes('*')) return tag
  return given.includes(gzipTag(tag)) ? gzipTag(tag) : null
}

/** The versions that If-Match names. */
export function preconditionOf(request: FastifyRequest): Precondition {
  const required = request.headers['if-match']
  return required === undefined ? null : tagsOf(required).map(requiredVersion)
}

/** A weak tag, one without quotes and an asterisk in quotes match no version: in quotes of ours they are none. */
function requiredVersion(tag: string): string {
  if (tag === '*') return tag
  const [, version = '*'] = /^"([^"]*?)(?:-csv)?(?:-gzip)?"$/.exec(tag) ?? []
  return version === '*' ? `'${tag}'` : version
}

function tagsOf(header: string): string[] {
  return header.split(',').map((tag) => tag.trim())
}
