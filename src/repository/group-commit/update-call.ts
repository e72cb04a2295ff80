import type { Campaign, Decide, Decision } from '../../domain/campaign/campaign.ts'
import { isLongWork } from '../../domain/long-work.ts'
import { inTurns } from '../../runtime/turns.ts'
import type { MaybePromise } from '../maybe-promise.ts'

/** A call, whatever it returns. */
export type WaitingCall = Pick<UpdateCall<unknown>, 'decide' | 'decision' | 'answer' | 'fail'>

/** One call of `update` or `remove`: decided on the newest state, and answered once that is durable. */
export class UpdateCall<T> {
  private decided: Decision<T> | null = null
  private refusal: unknown = null

  /** @param fail rejects the call: with what refused it, or with the error of the store */
  constructor(
    private readonly operation: Decide<T>,
    private readonly resolve: (result: T) => void,
    readonly fail: (error: unknown) => void,
  ) {}

  /**
   * Decides on a state; again when the state it was decided on did not become durable.
   * @param stopping see `inTurns`: it is refused then
   * @returns a promise, which does not reject, when that takes several turns of the event loop
   */
  decide(campaign: Campaign, at: string, stopping?: AbortSignal): MaybePromise<void> {
    this.decided = null
    try {
      const operation = this.operation(campaign, at)
      const decided = isLongWork(operation) ? inTurns(operation, stopping) : operation
      if (decided instanceof Promise) return this.decideLater(decided)
      this.decided = decided
    } catch (error) {
      this.refusal = error
    }
  }

  /** Null when it was refused. */
  get decision(): Decision<T> | null {
    return this.decided
  }

  answer(): void {
    if (this.decided === null) this.fail(this.refusal)
    else this.resolve(this.decided.result)
  }

  private async decideLater(decided: Promise<Decision<T>>): Promise<void> {
    try {
      this.decided = await decided
    } catch (error) {
      this.refusal = error
    }
  }
}

/** A call that removes the campaign, unless `permit` throws. */
export function removalCall(
  permit: (campaign: Campaign) => void,
  resolve: () => void,
  fail: (error: unknown) => void,
): WaitingCall {
  const decide: Decide<undefined> = (campaign) => {
    permit(campaign)
    return { changes: null, result: undefined }
  }
  return new UpdateCall(decide, resolve, fail)
}
