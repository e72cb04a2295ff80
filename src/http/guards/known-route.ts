import type { FastifyInstance } from 'fastify'
import { HttpError, pathOf } from '../problems/problem.ts'
import type { Guard } from './guard.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/**
 * Refuses a path or a method that there is not, before a body is read for it. An OPTIONS of a path that there is gets its methods:
 * the handler of unknown routes only has to send the response.
 */
export function knownRoute(app: FastifyInstance): Guard {
  const methodsOf = (path: string) => METHODS.filter((method) => hasRoute(app, method, path))
  return (request, reply) => {
    const { method } = request
    if (!request.is404 && method !== 'OPTIONS' && !hasEmptyPart(request.params)) return null
    const path = pathOf(request)
    const methods = methodsOf(path)
    if (methods.length === 0) return new HttpError('not-found', notFound(method, path, methodsOf))
    const allowed = [...methods, 'OPTIONS'].join(', ')
    reply.header('allow', allowed)
    if (method !== 'OPTIONS') return new HttpError('method-not-allowed', `${path} has no ${method}, but ${allowed}.`)
    reply.code(204)
    return null
  }
}

function hasRoute(app: FastifyInstance, method: string, url: string): boolean {
  // By the types there always is one.
  const route = app.findRoute({ method, url }) as { readonly params: unknown } | null
  return route !== null && !hasEmptyPart(route.params)
}

/** The router takes `/v1/campaigns/` for a campaign without an id. What a wildcard matches may be empty. */
function hasEmptyPart(params: unknown): boolean {
  const parts = params as Readonly<Record<string, string>>
  for (const name in parts) if (parts[name] === '' && name !== '*') return true
  return false
}

function notFound(method: string, path: string, methodsOf: (path: string) => readonly string[]): string {
  const bare = withoutSlashes(path)
  return bare !== path && methodsOf(bare).length > 0
    ? `There is no ${path}: the address is ${bare}, without a slash at its end.`
    : `There is no ${method} ${path}.`
}

/** Without slashes at its end. Not by a pattern: over many slashes within a path it would take their number squared. */
function withoutSlashes(path: string): string {
  let end = path.length
  while (end > 1 && path[end - 1] === '/') end -= 1
  return path.slice(0, end)
}
