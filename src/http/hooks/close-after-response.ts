import type { FastifyInstance } from 'fastify'
import type { ResponseHook } from './response-hook.ts'

/** While the service drains, each response closes its connection: kept open, it would delay the stop. */
export function closeAfterResponse(app: FastifyInstance): ResponseHook {
  return (_request, reply) => {
    if (app.isDraining()) reply.header('connection', 'close')
  }
}
