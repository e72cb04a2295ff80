import type { CampaignChange, CampaignStore, Unsubscribe } from '../repository/campaign-store.ts'

type Listener = (event: CampaignChange) => void

/** What is committed, told to whoever listens to one campaign: waiting calls and streams. One subscription, however many. */
export class CampaignFeed {
  private readonly listeners = new Map<string, Set<Listener>>()
  private readonly unsubscribe: Unsubscribe
  private readonly waiting = new Set<() => void>()
  private over = false

  constructor(repository: CampaignStore) {
    this.unsubscribe = repository.subscribe((event) => {
      for (const listener of [...(this.listeners.get(campaignOf(event)) ?? [])]) listener(event)
    })
  }

  /** Calls the listener for each commit to the campaign, in order. */
  listen(campaignId: string, listener: Listener): Unsubscribe {
    const listeners = this.listeners.get(campaignId) ?? new Set()
    this.listeners.set(campaignId, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.listeners.get(campaignId) === listeners) this.listeners.delete(campaignId)
    }
  }

  /**
   * Resolves at the next commit to the campaign, when the signal aborts, or when the service stops; at once if either is
   * so already. Leaves nothing behind.
   */
  next(campaignId: string, signal: AbortSignal): Promise<void> {
    if (this.isOver || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const settle = () => {
        unlisten()
        signal.removeEventListener('abort', settle)
        this.waiting.delete(settle)
        resolve()
      }
      const unlisten = this.listen(campaignId, settle)
      signal.addEventListener('abort', settle)
      this.waiting.add(settle)
    })
  }

  /** True once nobody may wait any more, since the service stops. */
  get isOver(): boolean {
    return this.over
  }

  /** Tells nothing any more, and has nobody wait. */
  end(): void {
    this.unsubscribe()
    this.over = true
    for (const settle of [...this.waiting]) settle()
  }
}

function campaignOf(event: CampaignChange): string {
  return 'campaign' in event ? event.campaign.header.campaign_id : event.campaign_id
}
