import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Campaign, Decision } from '../../domain/campaign/campaign.ts'
import type { Experiment } from '../../domain/experiment/experiment.ts'
import { HttpError } from '../problems/problem.ts'

/** Strong ETag of a campaign and of everything derived from it: changes with each revision, and never returns. */
export function campaignTag({ header }: Campaign): string {
  return `"${header.uid}-${header.revision}"`
}

/** Strong ETag of one experiment: changes with its own revision only. */
export function experimentTag({ header }: Campaign, { revision }: Experiment): string {
  return `"${header.uid}-${revision}"`
}

/** True when the client has this version: then the response is a 304 without a body. Sets the ETag in either case. */
export function isKnown(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  reply.header('etag', tag)
  const known = namesTag(request, tag)
  if (known) reply.code(304)
  return known
}

/** True when If-None-Match names the version. */
export function namesTag(request: FastifyRequest, tag: string): boolean {
  const known = request.headers['if-none-match']
  return (
    known === tag ||
    (known !== undefined && tagsOf(known).some((one) => one === '*' || one.replace(/^W\//, '') === tag))
  )
}

/**
 * The decision, bound to the version that If-Match names: compared with the state that is decided on, not with an earlier one.
 * @param tagOf ETag of the resource of the URL; null when the resource does not exist
 */
export function ifMatch<T>(
  request: FastifyRequest,
  tagOf: (campaign: Campaign) => string | null,
  decide: (campaign: Campaign) => Decision<T>,
): (campaign: Campaign) => Decision<T> {
  const wanted = request.headers['if-match']
  if (wanted === undefined) return decide
  return (campaign) => {
    checkMatch(wanted, tagOf(campaign))
    return decide(campaign)
  }
}

/** @throws HttpError `precondition-failed` when If-Match is given and names other versions than this one */
export function requireMatch(request: FastifyRequest, tag: string): void {
  const wanted = request.headers['if-match']
  if (wanted !== undefined) checkMatch(wanted, tag)
}

/** A resource that does not exist is left to the decision, which refuses it more precisely. */
function checkMatch(wanted: string, tag: string | null): void {
  if (tag === null || tagsOf(wanted).some((one) => one === '*' || one === tag)) return
  throw new HttpError('precondition-failed', `If-Match names ${wanted}, but the current ETag is ${tag}.`)
}

function tagsOf(header: string): string[] {
  return header.split(',').map((tag) => tag.trim())
}
