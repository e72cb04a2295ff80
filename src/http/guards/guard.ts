import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify'
import type { HttpError } from '../problems/problem.ts'

/**
 * Decides whether a request may go on, before its body is read.
 * @param route the config of the route; empty when no route matches
 * @returns why the request is refused, null when it is not
 */
export type Guard = (request: FastifyRequest, reply: FastifyReply, route: FastifyContextConfig) => HttpError | null
