import type { Campaign } from '../../domain/campaign/campaign.ts'

/** One call of `remove`. */
export class Removal {
  constructor(
    private readonly permit: (campaign: Campaign) => void,
    readonly resolve: () => void,
    readonly reject: (error: unknown) => void,
  ) {}

  /** Why the campaign may not be removed as it is; null when it may. */
  refusal(campaign: Campaign): { readonly error: unknown } | null {
    try {
      this.permit(campaign)
      return null
    } catch (error) {
      return { error }
    }
  }
}
