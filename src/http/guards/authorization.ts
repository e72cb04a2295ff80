import type { FastifyInstance, FastifyRequest } from 'fastify'
import { covers, type Role } from '../../auth/role.ts'
import { forbidden, unauthorized } from '../problems/access-refusal.ts'
import type { AuthenticationOptions } from './authentication.ts'
import type { Guard } from './guard.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The least role of its callers. Each route under /v1 must declare one; others are public by default. */
    readonly role?: Role | 'none'
  }
}

/** Refuses a caller without the role of the route. Routes of the API that are added after it and declare no role fail at start. */
export function authorization(app: FastifyInstance): Guard {
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.role === undefined && url.startsWith('/v1/')) throw new Error(`${url} names no role`)
  })
  return ({ actor, headers }, reply, { role = 'none' }) => {
    if (role === 'none') return null
    if (actor === null) {
      const isGiven = headers.authorization !== undefined
      return unauthorized(reply, isGiven ? 'The token is not known.' : 'The request has no token.', isGiven)
    }
    if (covers(actor.role, role)) return null
    const detail = `The call needs the role ${role}; ${actor.name} has the role ${actor.role}.`
    return forbidden(reply, detail, role)
  }
}

/** Whether a request that has passed the guards would pass them now: its token may have been revoked since. */
export type IsPermitted = (request: FastifyRequest) => boolean

export function permission({ tokens }: AuthenticationOptions): IsPermitted {
  return ({ actor, routeOptions }) => {
    const [known, { role = 'none' }] = [tokens(), routeOptions.config]
    if (known === null || role === 'none') return true
    const now = actor === null ? null : known.current(actor)
    return now !== null && covers(now.role, role)
  }
}
