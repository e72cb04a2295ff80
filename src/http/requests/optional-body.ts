import type { preValidationHookHandler } from 'fastify'

/** For calls that say enough by their path: no body is one that leaves everything at its default. */
export const optionalBody: preValidationHookHandler = (request, _reply, done) => {
  if (request.body === undefined) request.body = {}
  done()
}
