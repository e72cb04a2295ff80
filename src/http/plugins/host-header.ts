import fastifyPlugin from 'fastify-plugin'
import { HttpError } from '../problem.ts'

/**
 * HTTP/1.1 wants one Host. Node would refuse its lack itself, but with an empty answer; of two it would take the first,
 * where a proxy before it may have judged the second.
 */
export const hostHeader = fastifyPlugin(
  (app, _options, done) => {
    app.addHook('onRequest', (request, _reply, next) => {
      const { httpVersion, rawHeaders } = request.raw
      const count = rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === 'host').length
      if (count > 1) next(new HttpError('malformed-request', 'The header Host is there more than once.'))
      else if (count === 0 && httpVersion === '1.1')
        next(new HttpError('malformed-request', 'The header Host is missing.'))
      else next()
    })
    done()
  },
  { name: 'host-header', fastify: '5.x' },
)
