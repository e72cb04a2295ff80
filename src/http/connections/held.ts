import type { FastifyRequest } from 'fastify'
import type { ConcurrencyLimit } from './concurrency-limit.ts'
import { networkOf } from './network.ts'

/** Why nothing is held for a request any more: it is over, its client has left, or its token does not permit it any longer. */
export type EndOfHold = 'over' | 'left' | 'revoked'

/**
 * What the service holds for one request while its client waits: a place among the long polls or streams, a subscription, a wait.
 * It all ends together and once, whichever of the reasons comes first.
 */
export class Held {
  private reason: EndOfHold | null = null
  private readonly works: (() => void)[] = []

  constructor(readonly request: FastifyRequest) {}

  /** Why it ended; null: it has not. */
  get ended(): EndOfHold | null {
    return this.reason
  }

  /** Takes a place until the end. @throws HttpError when there is none */
  occupy(limit: ConcurrencyLimit): void {
    if (this.reason === null) this.onEnd(limit.acquire(networkOf(this.request.ip)))
  }

  /** Does the work at the end; at once when that has been. */
  onEnd(work: () => void): void {
    if (this.reason === null) this.works.push(work)
    else work()
  }

  end(reason: EndOfHold): void {
    if (this.reason !== null) return
    this.reason = reason
    for (const work of this.works.splice(0)) work()
  }
}
