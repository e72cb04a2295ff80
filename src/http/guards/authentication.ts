import type { FastifyInstance } from 'fastify'
import type { Actor, Tokens } from '../../auth/tokens.ts'
import type { Guard } from './guard.ts'

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

/** Finds out who makes a call, and lets everybody through: what he may do is for those that follow. */
export function authentication(app: FastifyInstance, { tokens }: AuthenticationOptions): Guard {
  app.decorateRequest('actor', null)
  return (request) => {
    request.actor = identify(tokens(), request.headers.authorization)
    return null
  }
}

function identify(tokens: Tokens | null, authorization: string | undefined): Actor | null {
  if (tokens === null) return ANYBODY
  const token = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1]
  return token === undefined ? null : tokens.actorOf(token)
}
