import type { ManifestRepository } from '../repository/repository.ts'
import { HttpError } from './problem.ts'

/** Wakes whoever waits for a campaign to change. One subscription, however many wait. */
export class ChangeWatch {
  private readonly waiting = new Map<string, Set<() => void>>()
  private readonly unsubscribe: () => void
  private ended = false
  private held = 0

  /** @param maxHeld how many may wait at the same time */
  constructor(
    repository: ManifestRepository,
    private readonly maxHeld: number,
  ) {
    this.unsubscribe = repository.subscribe((event) => {
      this.wake(event.type === 'deleted' ? event.campaign_id : event.campaign.header.campaign_id)
    })
  }

  /**
   * Takes a place for one who waits.
   * @returns gives it back
   * @throws HttpError `too-many-waiting` when there is none
   */
  takePlace(): () => void {
    if (this.held >= this.maxHeld) throw new HttpError('too-many-waiting', `${this.held} calls are held already.`)
    this.held += 1
    return () => (this.held -= 1)
  }

  /**
   * Resolves at the next commit to the campaign, when the signal aborts, or when the service stops; at once if either is
   * so already. Leaves nothing behind.
   */
  next(campaignId: string, signal: AbortSignal): Promise<void> {
    if (this.ended || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const waiters = this.waiting.get(campaignId) ?? new Set()
      const settle = () => {
        waiters.delete(settle)
        if (waiters.size === 0) this.waiting.delete(campaignId)
        signal.removeEventListener('abort', settle)
        resolve()
      }
      this.waiting.set(campaignId, waiters.add(settle))
      signal.addEventListener('abort', settle)
    })
  }

  /** True once nobody may wait any more, since the service stops. */
  get isOver(): boolean {
    return this.ended
  }

  /** Wakes all, for ever. */
  end(): void {
    this.ended = true
    this.unsubscribe()
    for (const campaignId of [...this.waiting.keys()]) this.wake(campaignId)
  }

  private wake(campaignId: string): void {
    for (const settle of [...(this.waiting.get(campaignId) ?? [])]) settle()
  }
}
