import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { type RequestMetrics, UNKNOWN_ROUTE } from '../../metrics/request-metrics.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The request changes nothing durable and is frequent: it is logged at debug, as reads are. */
    readonly isLoggedAsRead?: boolean
  }
  interface FastifyReply {
    /** A long poll that waited, or a stream: its duration says nothing about the service. */
    isLongLived: boolean
  }
}

/** Records a request whose response was sent. */
export type AccessLog = (request: FastifyRequest, reply: FastifyReply) => void

/**
 * Records a request: one line in the log with its actor, writes at info and reads at debug; a count of its response; and its
 * duration, unless it is long-lived. Called when the response is handed to the socket. Fastify's `onResponse` hook costs more,
 * and runs when the response has left, which for a stream is never.
 */
export function accessLog(app: FastifyInstance, requests: RequestMetrics, logger: Logger): AccessLog {
  app.decorateReply('isLongLived', false)
  return (request, reply) => {
    const { url = UNKNOWN_ROUTE, config } = request.routeOptions
    const counter = requests.counter(request.method, url)
    const elapsed = performance.now() - reply.startedAt
    counter.count(reply.statusCode)
    if (!reply.isLongLived) counter.time(elapsed / 1000)
    const level = isRead(request) || config.isLoggedAsRead === true ? 'debug' : 'info'
    if (logger.isLevelEnabled(level)) logger[level](lineOf(request, reply, elapsed), 'request completed')
  }
}

function isRead({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD'
}

function lineOf({ id, actor, method, url }: FastifyRequest, { statusCode }: FastifyReply, elapsed: number): object {
  const milliseconds = Math.round(elapsed * 100) / 100
  return { request_id: id, actor: actor?.name, method, url, status: statusCode, milliseconds }
}
