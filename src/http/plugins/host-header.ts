import fastifyPlugin from 'fastify-plugin'
import { HttpError } from '../problem.ts'

/** HTTP/1.1 wants a Host. Node would refuse its lack itself, but with an empty answer. */
export const hostHeader = fastifyPlugin(
  (app, _options, done) => {
    app.addHook('onRequest', (request, _reply, next) => {
      const isMissing = request.raw.httpVersion === '1.1' && request.headers.host === undefined
      next(isMissing ? new HttpError('malformed-request', 'The header Host is missing.') : undefined)
    })
    done()
  },
  { name: 'host-header', fastify: '5.x' },
)
