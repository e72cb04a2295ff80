import type { CampaignStore } from '../repository/campaign-store.ts'
import { turnOfOne } from '../runtime/turns.ts'

/** How long a call waits. */
export interface Wait {
  /** Aborts at the end of the wait, when the caller disconnects, and in any case when the call is over. */
  readonly signal: AbortSignal
  /** Called once, when the call begins to wait. Throws to refuse that. */
  readonly onHeld: () => void
}

/** Lets calls wait for changes of a campaign. */
export class ChangeWaiter {
  private readonly waiting = new Set<() => void>()
  private ended = false

  constructor(private readonly store: Pick<CampaignStore, 'watch'>) {}

  /**
   * Reads now and after each change of the campaign, until a result is enough, the wait ends or the service stops.
   * @param wait null: reads once
   * @param read gets the number of earlier calls
   * @returns the last result
   */
  async readUntil<T>(
    campaignId: string,
    wait: Wait | null,
    read: (times: number) => Promise<T>,
    isEnough: (result: T) => boolean,
  ): Promise<T> {
    if (wait === null) return read(0)
    for (let times = 0; ; times += 1) {
      // Watched before it is read, so that a commit between the two is not missed.
      const changed = this.next(campaignId, wait.signal)
      const result = await read(times)
      if (isEnough(result)) return result
      if (times === 0) wait.onHeld()
      await changed
      // One that ends while it waits for its turn is told of the change that came before.
      const hasEnded = wait.signal.aborted || this.ended
      // Thousands may wait for the same change.
      await turnOfOne()
      if (hasEnded) return result
    }
  }

  /** Ends all waiting, now and later. */
  end(): void {
    this.ended = true
    for (const finish of [...this.waiting]) finish()
  }

  /** Resolves at the next change of the campaign, when the signal aborts or when the service stops, and then stops watching. */
  private next(campaignId: string, signal: AbortSignal): Promise<void> {
    if (this.ended || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const finish = () => {
        unwatch()
        signal.removeEventListener('abort', finish)
        this.waiting.delete(finish)
        resolve()
      }
      const unwatch = this.store.watch(campaignId, finish)
      signal.addEventListener('abort', finish)
      this.waiting.add(finish)
    })
  }
}
