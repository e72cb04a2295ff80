import type { FastifyInstance } from 'fastify'
import type { Limits } from '../limits.ts'
import { HttpError } from '../problems/problem.ts'
import { EventLoopLag } from './event-loop-lag.ts'
import type { Guard } from './guard.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Never refused for load: what is lost without the response costs more than the response. */
    readonly isVital?: boolean
  }
}

/** Writes are refused at this many times the lag of reads. */
const WRITE_TOLERANCE = 4

/**
 * Refuses requests while the event loop is late, reads before writes: too many readers must not keep workers from reporting.
 */
export function loadShedding(app: FastifyInstance, { maxLag }: Limits): Guard {
  const lag = new EventLoopLag()
  // Not before: during the start no client waits.
  app.addHook('onReady', (ready) => {
    lag.start()
    ready()
  })
  app.addHook('onClose', (_app, closed) => {
    lag.close()
    closed()
  })
  return ({ method }, _reply, { isVital = false }) => {
    const tolerance = method === 'GET' || method === 'HEAD' ? 1 : WRITE_TOLERANCE
    return !isVital && lag.milliseconds > maxLag * tolerance
      ? new HttpError('overloaded', `The event loop is more than ${maxLag * tolerance} ms late (CAMPAIGND_MAX_LAG).`)
      : null
  }
}
