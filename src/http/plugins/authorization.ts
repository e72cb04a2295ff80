import type { onRequestHookHandler } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { covers, type Role } from '../../auth/role.ts'
import { HttpError } from '../problem.ts'
import { addRouteHook } from '../route-hook.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call it. Each route of the API must say; one beside it is for everybody unless it says otherwise. */
    readonly role?: Role | 'none'
  }
}

const CHALLENGE = 'Bearer realm="campaignd"'

/** Lets a call through to the routes that follow only if its actor has the role that the route asks for. */
export const authorization = fastifyPlugin(
  (app, _options, done) => {
    app.addHook('onRoute', (route) => {
      const { role } = route.config ?? {}
      if (role === undefined && route.url.startsWith('/v1/')) throw new Error(`${route.url} names no role`)
      if (role !== undefined && role !== 'none') addRouteHook(route, requireRole(role))
    })
    done()
  },
  { name: 'authorization', fastify: '5.x', dependencies: ['authentication'] },
)

function requireRole(role: Role): onRequestHookHandler {
  return (request, reply, next) => {
    const { actor } = request
    if (actor === null) {
      const isGiven = request.headers.authorization !== undefined
      reply.header('www-authenticate', isGiven ? `${CHALLENGE}, error="invalid_token"` : CHALLENGE)
      next(new HttpError('unauthorized', isGiven ? 'The token is not known.' : 'The call has no token.'))
    } else if (!covers(actor.role, role)) {
      reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope", scope="${role}"`)
      next(new HttpError('forbidden', `The call needs the role ${role}; ${actor.name} has the role ${actor.role}.`))
    } else next()
  }
}
