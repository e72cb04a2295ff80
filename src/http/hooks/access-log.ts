import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { UNKNOWN_ROUTE, type RequestMetrics } from '../../metrics/request-metrics.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The call changes nothing that is kept, and comes often: it leaves its line in the log where reads do. */
    readonly isLoggedAsRead?: boolean
  }
  interface FastifyReply {
    /** It waits for something to happen, so that how long it takes says nothing of the service. */
    isHeld: boolean
  }
}

export interface AccessLogOptions {
  readonly requests: RequestMetrics
  readonly logger: Logger
}

/** Makes what remains of a call whose answer was sent. */
export type AccessLog = (request: FastifyRequest, reply: FastifyReply) => void

/**
 * What remains of a call: one line in the log, with who made it, changes at info and reads at debug; a count of its answer; and
 * how long that took, unless it had to wait for something. Made when the answer is handed over, not when it is out, which of a
 * stream is never: as a hook of Fastify's for that, it took 2.5 us more of a heartbeat.
 */
export function accessLog(app: FastifyInstance, { requests, logger }: AccessLogOptions): AccessLog {
  app.decorateReply('isHeld', false)
  return (request, reply) => {
    const { url = UNKNOWN_ROUTE, config } = request.routeOptions
    const tally = requests.tally(request.method, url)
    const elapsed = performance.now() - reply.begunAt
    tally.count(reply.statusCode)
    if (!reply.isHeld) tally.time(elapsed / 1000)
    const level = isRead(request) || config.isLoggedAsRead === true ? 'debug' : 'info'
    if (logger.isLevelEnabled(level)) logger[level](lineOf(request, reply, elapsed), 'answered')
  }
}

function isRead({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD'
}

function lineOf({ id, actor, method, url }: FastifyRequest, { statusCode }: FastifyReply, elapsed: number): object {
  const milliseconds = Math.round(elapsed * 100) / 100
  return { request_id: id, actor: actor?.name, method, url, status: statusCode, milliseconds }
}
