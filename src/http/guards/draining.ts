import type { FastifyInstance } from 'fastify'
import { HttpError } from '../problems/problem.ts'
import type { Guard } from './guard.ts'

/** Refuses writes once the service stops. */
export function draining(app: FastifyInstance): Guard {
  return ({ method }) =>
    app.isDraining() && method !== 'GET' && method !== 'HEAD'
      ? new HttpError('draining', 'The service is stopping.')
      : null
}
