import type { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { Committed } from '../../repository/campaign-store.ts'

/**
 * A JSON object of a list and its other members. The items are encoded and separated already: copying the bytes of the manifest
 * is cheaper than encoding a page again.
 */
export function listJson(name: string, items: readonly Uint8Array[], rest: object): Buffer {
  const begin = Buffer.from(`{${JSON.stringify(name)}:[`)
  const end = Buffer.from(`],${JSON.stringify(rest).slice(1)}`)
  return Buffer.concat([begin, ...items, end])
}

/**
 * JSON that is encoded already, to be returned by a handler. Not sent with `reply.send`: of a reply that is returned, Fastify
 * awaits the end, which comes only when its batch is sent, and adds listeners for that.
 */
export function jsonReply<T extends string | Buffer | Readable>(reply: FastifyReply, json: T): T {
  reply.header('content-type', 'application/json; charset=utf-8')
  return json
}

/** The experiments at the positions as items of `listJson`: the bytes of the manifest, where the store keeps them. */
export function experimentItems({ campaign, encoded }: Committed, positions: readonly number[]): readonly Uint8Array[] {
  if (encoded !== null) return encoded.list(positions)
  return positions.map((position, index) => {
    const json = JSON.stringify(campaign.experiments.at(position))
    return Buffer.from(index === 0 ? json : `,${json}`)
  })
}
