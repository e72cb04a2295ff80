import type { FastifyRequest, onSendHookHandler } from 'fastify'
import { HttpError } from '../problems/problem.ts'

/** Bytes of large bodies whose values are in memory at a time; one that has more by itself is alone. */
const AT_ONCE = 2 * 1024 * 1024

interface Waiting {
  readonly bytes: number
  readonly start: () => void
}

/**
 * Large bodies, of which few are in memory as values at a time: from before they are parsed until their responses are made. Slices
 * of many would be done side by side, and all that they make would be there together. Others wait as bytes.
 */
export class LargeBodies {
  private bytes = 0
  private readonly waiting: Waiting[] = []
  private readonly ends = new WeakMap<FastifyRequest, () => void>()

  /**
   * Resolves when it is the turn of the request, which lasts until `end`, also when its client leaves meanwhile: Fastify goes on.
   * @throws HttpError when the client leaves before
   */
  begin(request: FastifyRequest, bytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const { socket } = request.raw
      const leave = () => {
        this.waiting.splice(this.waiting.indexOf(one), 1)
        reject(new HttpError('malformed-request', 'The client has left.'))
        this.admit()
      }
      const start = () => {
        socket.removeListener('close', leave)
        this.hold(request, bytes)
        resolve()
      }
      const one = { bytes, start }
      this.waiting.push(one)
      if (socket.destroyed) leave()
      else socket.once('close', leave)
      this.admit()
    })
  }

  /** For the routes that take large bodies. */
  readonly onSend: onSendHookHandler = (request, _reply, payload, done) => {
    this.end(request)
    done(null, payload)
  }

  end(request: FastifyRequest): void {
    this.ends.get(request)?.()
  }

  private hold(request: FastifyRequest, bytes: number): void {
    this.bytes += bytes
    this.ends.set(request, () => {
      this.ends.delete(request)
      this.bytes -= bytes
      this.admit()
    })
  }

  private admit(): void {
    for (let next = this.waiting[0]; next !== undefined && this.fits(next); next = this.waiting[0]) {
      this.waiting.shift()
      next.start()
    }
  }

  private fits({ bytes }: Waiting): boolean {
    return this.bytes === 0 || this.bytes + bytes <= AT_ONCE
  }
}
