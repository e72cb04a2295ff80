import type { FastifyReply } from 'fastify'
import { HttpError } from './problem.ts'

const CHALLENGE = 'Bearer realm="campaignd"'

/** The refusal of a caller whose token is missing, or not (or no longer) known. */
export function unauthorized(reply: FastifyReply, detail: string, isGiven = true): HttpError {
  reply.header('www-authenticate', isGiven ? `${CHALLENGE}, error="invalid_token"` : CHALLENGE)
  return new HttpError('unauthorized', detail)
}

/** The refusal of a caller whose token has not the role that the call needs. */
export function forbidden(reply: FastifyReply, detail: string, role: string): HttpError {
  reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope", scope="${role}"`)
  return new HttpError('forbidden', detail)
}
