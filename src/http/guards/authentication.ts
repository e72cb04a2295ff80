import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Actor, Tokens } from '../../auth/tokens.ts'
import type { Guard } from './guard.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller; null when the request has no valid token. */
    actor: Actor | null
  }
}

export interface AuthenticationOptions {
  /** The current tokens; null: the service has none, and every caller may do everything. */
  readonly tokens: () => Tokens | null
}

/** Every caller of a service without tokens. */
export const ANONYMOUS: Actor = { name: 'anonymous', role: 'admin', digest: '' }
const BEARER = /^Bearer +([^\s]+) *$/i

/** Identifies the caller and refuses nobody: the guards after it decide what the caller may do. */
export function authentication(app: FastifyInstance, { tokens }: AuthenticationOptions): Guard {
  app.decorateRequest('actor', null)
  return (request) => {
    request.actor = identify(tokens(), request.headers.authorization)
    return null
  }
}

/** The name of the token of the caller; null: the service has none. */
export function actorOf({ actor }: FastifyRequest): string | null {
  return actor === null || actor === ANONYMOUS ? null : actor.name
}

function identify(tokens: Tokens | null, authorization: string | undefined): Actor | null {
  if (tokens === null) return ANONYMOUS
  const token = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1]
  return token === undefined ? null : tokens.actorOf(token)
}
