import type { FastifyReply } from 'fastify'

/** Answers with JSON that is encoded already. */
export function sendJson(reply: FastifyReply, json: string | Buffer): FastifyReply {
  return reply.header('content-type', 'application/json; charset=utf-8').send(json)
}
