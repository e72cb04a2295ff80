import { type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import type { Logger } from 'pino'

declare module 'fastify' {
  interface FastifyReply {
    /** When its request arrived: milliseconds of the monotonic clock. */
    startedAt: number
  }
}

/**
 * Notes when a request arrives, and gives it the log of the service. In place of Fastify's own request logging, which makes a
 * child logger for each request and listens for the end of each response.
 */
export class RequestStart extends LogController {
  constructor(private readonly logger: Logger) {
    super({ disableRequestLogging: true })
  }

  override incomingRequest(request: FastifyRequest, reply: FastifyReply): void {
    request.log = this.logger
    reply.log = this.logger
    reply.startedAt = performance.now()
  }
}
