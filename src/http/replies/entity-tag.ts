import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Precondition, type Version, versionText } from '../../domain/campaign/version.ts'

/** Strong ETag of a version: of a campaign and everything derived from it, or of one experiment. It never returns. */
export function entityTag(version: Version): string {
  return `"${versionText(version)}"`
}

/** True when the client has this version: then the response is a 304 without a body. Sets the ETag in either case. */
export function isKnown(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  reply.header('etag', tag)
  const isNamed = namesTag(request, tag)
  if (isNamed) reply.code(304)
  return isNamed
}

/** True when If-None-Match names the version. */
export function namesTag(request: FastifyRequest, tag: string): boolean {
  const header = request.headers['if-none-match']
  if (header === undefined || header === tag) return header === tag
  return tagsOf(header).some((one) => one === '*' || one.replace(/^W\//, '') === tag)
}

/** The versions that If-Match names. */
export function preconditionOf(request: FastifyRequest): Precondition {
  const required = request.headers['if-match']
  return required === undefined ? null : tagsOf(required).map(requiredVersion)
}

/** A weak tag, one without quotes and an asterisk in quotes match no version: in quotes of ours they are none. */
function requiredVersion(tag: string): string {
  if (tag === '*') return tag
  const [, version = '*'] = /^"([^"]*)"$/.exec(tag) ?? []
  return version === '*' ? `'${tag}'` : version
}

function tagsOf(header: string): string[] {
  return header.split(',').map((tag) => tag.trim())
}
