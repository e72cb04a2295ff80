import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { HttpError } from '../problems/problem.ts'

/**
 * Decides whether a request may go on, before its body is read.
 * @param route the config of the route; empty when no route matches
 * @returns why the request is refused, null when it is not
 */
export type Guard = (request: FastifyRequest, reply: FastifyReply, route: FastifyContextConfig) => HttpError | null

export interface GuardHookOptions {
  /** In the order in which a request has to pass them. */
  readonly guards: readonly Guard[]
  /** Called for a request that has passed them. */
  readonly onPassed: (reply: FastifyReply) => void
}

/**
 * Runs the guards on every request, also on one that has no route. One hook for all of them: Fastify's step from one hook to the
 * next costs more than a guard.
 */
export const guardHook = fastifyPlugin<GuardHookOptions>(
  (app, { guards, onPassed }, done) => {
    app.addHook('onRequest', (request, reply, next) => {
      const refusal = refusalOf(guards, request, reply)
      if (refusal === undefined) onPassed(reply)
      next(refusal)
    })
    done()
  },
  { name: 'guard-hook', fastify: '5.x' },
)

function refusalOf(guards: readonly Guard[], request: FastifyRequest, reply: FastifyReply): HttpError | undefined {
  const { config } = request.routeOptions
  for (const guard of guards) {
    const refusal = guard(request, reply, config)
    if (refusal !== null) return refusal
  }
  return undefined
}
