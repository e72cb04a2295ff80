import type { Campaign, Decide, Decision } from '../../domain/campaign/campaign.ts'

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

  /** Decides on a state; again when the state it was decided on did not become durable. */
  decide(campaign: Campaign, at: string): void {
    this.decided = null
    try {
      this.decided = this.operation(campaign, at)
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
}
