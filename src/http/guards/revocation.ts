import fastifyPlugin from 'fastify-plugin'
import { unauthorized } from '../problems/access-refusal.ts'
import type { IsPermitted } from './authorization.ts'

export interface RevocationOptions {
  readonly isPermitted: IsPermitted
}

const WITHOUT_BODY = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Looks at the token again when the body is there: a client may take a minute to send it. For the routes that are added after it
 * and have a body; others are handled in the turn of their guards.
 */
export const revocation = fastifyPlugin<RevocationOptions>(
  (app, { isPermitted }, done) => {
    app.addHook('onRoute', (route) => {
      if ([route.method].flat().every((method) => WITHOUT_BODY.has(method))) return
      const others = [route.preValidation ?? []].flat()
      route.preValidation = [
        (request, reply, next) => {
          if (isPermitted(request)) next()
          else next(unauthorized(reply, 'The token was revoked while the body was sent.'))
        },
        ...others,
      ]
    })
    done()
  },
  { name: 'revocation', fastify: '5.x' },
)
