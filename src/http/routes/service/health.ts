import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { RouteDependencies } from '../../dependencies.ts'
import { responses } from '../../openapi/responses.ts'
import { HttpError } from '../../problems/problem.ts'

const Up = Type.Object({ status: Type.Literal('ok') }, { additionalProperties: false, examples: [{ status: 'ok' }] })

const Ready = Type.Object(
  { status: Type.Literal('ready') },
  { additionalProperties: false, examples: [{ status: 'ready' }] },
)

export const healthRoutes: FastifyPluginAsyncTypebox<RouteDependencies> = async (app, { service }) => {
  app.get(
    '/healthz',
    {
      config: { role: 'none', isVital: true, isAnyHost: true, isUnlimited: true },
      schema: {
        operationId: 'isUp',
        tags: ['service'],
        summary: 'The process is up',
        response: responses({ success: { 200: { description: 'It is', schema: Up } }, kind: 'probe' }),
      },
    },
    () => ({ status: 'ok' as const }),
  )

  app.get(
    '/readyz',
    {
      config: { role: 'none', isVital: true, isAnyHost: true, isUnlimited: true },
      schema: {
        operationId: 'isReady',
        tags: ['service'],
        summary: 'Changes can be taken',
        description: 'The store is usable, its lock is held, and the service is not stopping.',
        response: responses({
          success: { 200: { description: 'They can', schema: Ready } },
          kind: 'probe',
          problems: ['not-ready'],
        }),
      },
    },
    () => {
      const readiness = service.store.readiness()
      if (app.isDraining()) throw new HttpError('not-ready', 'The service is stopping.')
      if (!readiness.ready) throw new HttpError('not-ready', `The store cannot be used: ${readiness.reason}.`)
      return { status: 'ready' as const }
    },
  )
}
