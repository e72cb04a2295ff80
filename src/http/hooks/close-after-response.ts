import type { FastifyInstance } from 'fastify'
import type { Stamp } from './response-hook.ts'

/** From the beginning of a close on, connections are given up after their answer. */
export function lastAnswer(app: FastifyInstance): Stamp {
  return (_request, reply) => {
    if (app.isDraining()) reply.header('connection', 'close')
  }
}
