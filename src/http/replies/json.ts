import type { FastifyReply } from 'fastify'

/**
 * An object of a list, whose items are encoded already and separated, and of what else it has. To encode a page of 100
 * experiments anew took 90 us; to copy them from the manifest takes 32.
 */
export function listJson(name: string, items: readonly Uint8Array[], rest: object): Buffer {
  const begin = Buffer.from(`{${JSON.stringify(name)}:[`)
  const end = Buffer.from(`],${JSON.stringify(rest).slice(1)}`)
  return Buffer.concat([begin, ...items, end])
}

/**
 * JSON that is encoded already, to be returned to Fastify as the answer. Not sent: a reply that is returned in its place is waited
 * for by listeners for its end, since it leaves only with the others of its turn.
 */
export function jsonReply<T extends string | Buffer>(reply: FastifyReply, json: T): T {
  reply.header('content-type', 'application/json; charset=utf-8')
  return json
}
