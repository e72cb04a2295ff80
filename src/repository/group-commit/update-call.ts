import type { Campaign, Changes, Decision } from '../../domain/campaign/campaign.ts'

/** One call of `update`: judged on the newest state, and told what was decided once that is durable. */
export class UpdateCall<T> {
  /** Null when it was refused. */
  private decision: Decision<T> | null = null
  private refusal: unknown = null

  /** @param fail tells the caller why not: what refused the call, or what the store failed it for */
  constructor(
    private readonly decide: (campaign: Campaign) => Decision<T>,
    private readonly resolve: (result: T) => void,
    readonly fail: (error: unknown) => void,
  ) {}

  /** Decides on a state; anew when what was decided before did not become durable. */
  judge(campaign: Campaign): void {
    this.decision = null
    try {
      this.decision = this.decide(campaign)
    } catch (error) {
      this.refusal = error
    }
  }

  /** What was decided to change; null: nothing. */
  get changes(): Changes | null {
    return this.decision?.changes ?? null
  }

  /** Gives the caller what was decided: a result or a refusal. */
  answer(): void {
    if (this.decision === null) this.fail(this.refusal)
    else this.resolve(this.decision.result)
  }
}
