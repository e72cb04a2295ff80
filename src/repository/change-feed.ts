import type { CampaignChange, Unsubscribe } from './campaign-store.ts'

/** Tells whoever listens what was committed, in order. */
export class ChangeFeed {
  private readonly listeners = new Set<(event: CampaignChange) => void>()

  subscribe(listener: (event: CampaignChange) => void): Unsubscribe {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  emit(event: CampaignChange): void {
    for (const listener of this.listeners) listener(event)
  }
}
