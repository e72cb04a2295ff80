import type { FastifyRequest, onSendHookHandler } from 'fastify'

/**
 * Large bodies, of which one is in memory as values at a time: from before it is parsed until its response is made. Slices of many
 * would be done side by side, and all that they make would be there together.
 */
export class LargeBodies {
  private last: Promise<unknown> = Promise.resolve()
  private readonly ends = new WeakMap<FastifyRequest, () => void>()

  /** Resolves when it is the turn of the request; it is over with `end`, or when the connection is. */
  async begin(request: FastifyRequest): Promise<void> {
    const before = this.last
    const over = new Promise<void>((resolve) => {
      const { socket } = request.raw
      if (socket.destroyed) resolve()
      else socket.once('close', resolve)
      this.ends.set(request, () => {
        socket.removeListener('close', resolve)
        resolve()
      })
    })
    this.last = Promise.all([before, over])
    await before
  }

  /** For the routes that take large bodies. */
  readonly onSend: onSendHookHandler = (request, _reply, payload, done) => {
    this.end(request)
    done(null, payload)
  }

  end(request: FastifyRequest): void {
    this.ends.get(request)?.()
  }
}
