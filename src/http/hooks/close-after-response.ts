import type { FastifyInstance } from 'fastify'
import type { ResponseHook } from './response-hook.ts'

/** From the beginning of a close on, connections are given up after their answer. */
export function closeAfterResponse(app: FastifyInstance): ResponseHook {
  return (_request, reply) => {
    if (app.isDraining()) reply.header('connection', 'close')
  }
}
