import { LogController, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'

declare module 'fastify' {
  interface FastifyReply {
    /** When its request came: milliseconds of the monotonic clock. */
    begunAt: number
  }
}

/**
 * What Fastify tells of a call as it begins: in place of a line, it gets the time and our log. As Fastify's own logger, ours
 * took 8 us more of a heartbeat's 56: a child of it for each call, and listeners for the end of each answer.
 */
export class RequestStart extends LogController {
  constructor(private readonly logger: Logger) {
    super({ disableRequestLogging: true })
  }

  override incomingRequest(request: FastifyRequest, reply: FastifyReply): void {
    request.log = this.logger
    reply.log = this.logger
    reply.begunAt = performance.now()
  }
}
