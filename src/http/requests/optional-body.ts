import type { preValidationHookHandler } from 'fastify'

/** For calls whose path says enough: no body means every field at its default. */
export const optionalBody: preValidationHookHandler = (request, _reply, done) => {
  if (request.body === undefined) request.body = {}
  done()
}
