import type { FastifyInstance } from 'fastify'
import { covers, type Role } from '../../auth/role.ts'
import { HttpError } from '../problems/problem.ts'
import type { Guard } from './guard.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The least role of its callers. Each route under /v1 must declare one; others are public by default. */
    readonly role?: Role | 'none'
  }
}

const CHALLENGE = 'Bearer realm="campaignd"'

/** Refuses a caller without the role of the route. Routes of the API that are added after it and declare no role fail at start. */
export function authorization(app: FastifyInstance): Guard {
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.role === undefined && url.startsWith('/v1/')) throw new Error(`${url} names no role`)
  })
  return ({ actor, headers }, reply, { role = 'none' }) => {
    if (role === 'none') return null
    if (actor === null) {
      const isGiven = headers.authorization !== undefined
      reply.header('www-authenticate', isGiven ? `${CHALLENGE}, error="invalid_token"` : CHALLENGE)
      return new HttpError('unauthorized', isGiven ? 'The token is not known.' : 'The request has no token.')
    }
    if (covers(actor.role, role)) return null
    reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope", scope="${role}"`)
    return new HttpError('forbidden', `The call needs the role ${role}; ${actor.name} has the role ${actor.role}.`)
  }
}
