import type { Campaign } from '../../domain/campaign/campaign.ts'
import { laterTime } from '../../domain/timestamp.ts'
import type { WaitingCall } from './update-call.ts'

export interface UndecidedCallsOptions {
  /** The state that the next call is decided on. */
  readonly newest: () => Campaign
  /** The present: RFC 3339, UTC. */
  readonly now: () => string
  /** Aborts when the service stops: a call whose decision takes long is refused then, with its reason. */
  readonly stopping: AbortSignal
  /** Gets each call with the state that it was decided on, which is still the newest. */
  readonly onDecided: (call: WaitingCall, newest: Campaign) => void
}

/**
 * Decides calls of one campaign in the order in which they come: at once, unless one takes several turns of the event loop. Those that
 * come meanwhile wait for it.
 */
export class UndecidedCalls {
  private deciding: WaitingCall | null = null
  private readonly waiting: WaitingCall[] = []

  constructor(private readonly options: UndecidedCallsOptions) {}

  get isEmpty(): boolean {
    return this.deciding === null
  }

  add(call: WaitingCall): void {
    if (this.deciding === null) this.decide(call)
    else this.waiting.push(call)
  }

  failAll(error: unknown): void {
    this.deciding?.fail(error)
    this.deciding = null
    for (const call of this.waiting.splice(0)) call.fail(error)
  }

  private decide(call: WaitingCall): void {
    const { now, stopping } = this.options
    const newest = this.options.newest()
    const decided = call.decide(newest, laterTime(now(), newest.header.updated_at), stopping)
    if (decided instanceof Promise) {
      this.deciding = call
      void decided.then(() => {
        // Unless it failed meanwhile.
        if (this.deciding === call) this.finish(call, newest)
      })
    } else this.options.onDecided(call, newest)
  }

  private finish(call: WaitingCall, newest: Campaign): void {
    this.deciding = null
    // The state that it was decided on did not become durable, or is another process's now: it is decided again.
    if (this.options.newest() === newest) this.options.onDecided(call, newest)
    else this.decide(call)
    while (this.isEmpty) {
      const next = this.waiting.shift()
      if (next === undefined) break
      this.decide(next)
    }
  }
}
