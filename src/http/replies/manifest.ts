import type { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { manifestPieces } from '../../domain/formats/manifest-json.ts'
import type { Committed } from '../../repository/campaign-store.ts'
import { download, type DownloadParts } from './download.ts'
import { entityTag } from './entity-tag.ts'
import { jsonPieces } from './pieces.ts'

/** A manifest with its ETag, to be returned by a handler: the bytes of the file, where the store keeps them. */
export function manifestReply(reply: FastifyReply, parts: DownloadParts, committed: Committed): Buffer | Readable {
  reply.header('etag', entityTag(committed.campaign.header))
  return download(reply, parts, committed, bodyOf(reply, committed))
}

/** The same for a campaign that the call has made. */
export function createdReply(reply: FastifyReply, parts: DownloadParts, committed: Committed): Buffer | Readable {
  reply.code(201).header('location', `/v1/campaigns/${committed.campaign.header.campaign_id}`)
  return manifestReply(reply, parts, committed)
}

function bodyOf(reply: FastifyReply, { campaign, encoded }: Committed): Buffer | Readable {
  if (encoded === null) return jsonPieces(reply, manifestPieces(campaign))
  reply.header(
    'content-length',
    encoded.parts.reduce((sum, { length }) => sum + length, 0),
  )
  return jsonPieces(reply, encoded.parts)
}
