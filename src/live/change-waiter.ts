import type { CampaignStore } from '../repository/campaign-store.ts'

/** Lets calls wait for the next change of a campaign. */
export class ChangeWaiter {
  private readonly waiting = new Set<() => void>()
  private ended = false

  constructor(private readonly store: Pick<CampaignStore, 'watch'>) {}

  /**
   * Resolves at the next change of the campaign, when the signal aborts, or when the service stops; at once if either is
   * so already. Leaves nothing behind.
   */
  next(campaignId: string, signal: AbortSignal): Promise<void> {
    if (this.ended || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const settle = () => {
        unwatch()
        signal.removeEventListener('abort', settle)
        this.waiting.delete(settle)
        resolve()
      }
      const unwatch = this.store.watch(campaignId, settle)
      signal.addEventListener('abort', settle)
      this.waiting.add(settle)
    })
  }

  /** True once no call may wait any more, since the service stops. */
  get isEnded(): boolean {
    return this.ended
  }

  /** Ends all waiting, now and later. */
  end(): void {
    this.ended = true
    for (const settle of [...this.waiting]) settle()
  }
}
