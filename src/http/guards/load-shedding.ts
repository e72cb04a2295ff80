import type { FastifyInstance } from 'fastify'
import { EventLoopLag } from './event-loop-lag.ts'
import { HttpError } from '../problems/problem.ts'
import type { Guard } from './guard.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered however late the service is: what would be lost without an answer costs more than the answer. */
    readonly isVital?: boolean
  }
}

export interface LoadSheddingOptions {
  /** Milliseconds by which the event loop may be late before reads are refused. */
  readonly maxLag: number
}

/** So many times later writes are refused too. */
const PATIENCE_WITH_WRITES = 4

/**
 * Refuses calls while the event loop is late, reads before writes: whoever asked too much to look at shall not keep workers from
 * reporting.
 */
export function loadShedding(app: FastifyInstance, { maxLag }: LoadSheddingOptions): Guard {
  const lag = new EventLoopLag()
  // Not before: what a start has to do is no lateness that anybody waits through.
  app.addHook('onReady', (ready) => {
    lag.start()
    ready()
  })
  app.addHook('onClose', (_app, closed) => {
    lag.close()
    closed()
  })
  return ({ method }, _reply, { isVital = false }) => {
    const patience = method === 'GET' || method === 'HEAD' ? 1 : PATIENCE_WITH_WRITES
    return !isVital && lag.milliseconds > maxLag * patience ? new HttpError('overloaded', 'The service is late.') : null
  }
}
