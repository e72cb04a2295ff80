import fastifyPlugin from 'fastify-plugin'
import type { Actor, Tokens } from '../../auth/tokens.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who makes the call; null when it has no token that is known. */
    actor: Actor | null
  }
}

export interface AuthenticationOptions {
  /** Those that are known now; null: there are none, and anybody may do anything. */
  readonly tokens: () => Tokens | null
}

/** Who calls a service without tokens. */
export const ANYBODY: Actor = { name: 'anonymous', role: 'admin' }
const BEARER = /^Bearer +([^\s]+) *$/i

/** Finds out who makes a call. What he may do is decided elsewhere. */
export const authentication = fastifyPlugin<AuthenticationOptions>(
  (app, { tokens }, done) => {
    app.decorateRequest('actor', null)
    app.addHook('onRequest', (request, _reply, next) => {
      request.actor = identify(tokens(), request.headers.authorization)
      next()
    })
    done()
  },
  { name: 'authentication', fastify: '5.x' },
)

function identify(tokens: Tokens | null, authorization: string | undefined): Actor | null {
  if (tokens === null) return ANYBODY
  const token = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1]
  return token === undefined ? null : tokens.actorOf(token)
}
