import type { FastifyInstance } from 'fastify'
import { covers, type Role } from '../../auth/role.ts'
import { HttpError } from '../problems/problem.ts'
import type { Guard } from './guard.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call it. Each route of the API must say; one beside it is for everybody unless it says otherwise. */
    readonly role?: Role | 'none'
  }
}

const CHALLENGE = 'Bearer realm="campaignd"'

/** Lets a call through only if its actor has the role that the route asks for. Routes that come after it and name none fail. */
export function authorization(app: FastifyInstance): Guard {
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.role === undefined && url.startsWith('/v1/')) throw new Error(`${url} names no role`)
  })
  return ({ actor, headers }, reply, { role = 'none' }) => {
    if (role === 'none') return null
    if (actor === null) {
      const isGiven = headers.authorization !== undefined
      reply.header('www-authenticate', isGiven ? `${CHALLENGE}, error="invalid_token"` : CHALLENGE)
      return new HttpError('unauthorized', isGiven ? 'The token is not known.' : 'The call has no token.')
    }
    if (covers(actor.role, role)) return null
    reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope", scope="${role}"`)
    return new HttpError('forbidden', `The call needs the role ${role}; ${actor.name} has the role ${actor.role}.`)
  }
}
