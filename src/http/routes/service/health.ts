import { Type } from '@sinclair/typebox'
import { StrictObject } from '../../../domain/schema.ts'
import type { Route } from '../../dependencies.ts'
import { responses } from '../../openapi/responses.ts'
import { HttpError } from '../../problems/problem.ts'

const Up = StrictObject({ status: Type.Literal('ok', { description: 'Always ok' }) }, { examples: [{ status: 'ok' }] })

const Ready = StrictObject(
  { status: Type.Literal('ready', { description: 'Always ready' }) },
  { examples: [{ status: 'ready' }] },
)

const PROBE = { role: 'none', isVital: true, isAnyHost: true, isUnlimited: true } as const

export const healthRoutes: Route = async (app, { service }) => {
  app.get(
    '/healthz',
    {
      config: PROBE,
      schema: {
        operationId: 'isUp',
        tags: ['service'],
        summary: 'The process is up',
        response: responses('probe', [], { 200: { description: 'It is', schema: Up } }),
      },
    },
    () => ({ status: 'ok' as const }),
  )

  app.get(
    '/readyz',
    {
      config: PROBE,
      schema: {
        operationId: 'isReady',
        tags: ['service'],
        summary: 'A change could be made durable',
        description:
          'The store is usable, its lock is held, the service is not stopping, and the disk takes a write: one was made ' +
          'within the last second, or is tried now. Otherwise `detail` says what to do; it is ready again by itself.',
        response: responses('probe', ['not-ready'], { 200: { description: 'It does', schema: Ready } }),
      },
    },
    async () => {
      if (app.isDraining()) throw new HttpError('not-ready', 'The service is stopping.')
      const readiness = await service.store.readiness()
      if (!readiness.ready) throw new HttpError('not-ready', `The store cannot be used: ${readiness.reason}.`)
      return { status: 'ready' as const }
    },
  )
}
