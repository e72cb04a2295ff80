import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify'
import type { HttpError } from '../problems/problem.ts'

/**
 * Something that a call has to pass before its body is read.
 * @param route what the route says of itself; nothing where there is no such route
 * @returns why the call is refused, null to let it through
 */
export type Guard = (request: FastifyRequest, reply: FastifyReply, route: FastifyContextConfig) => HttpError | null
