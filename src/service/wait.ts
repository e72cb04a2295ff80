import type { ChangeWaiter } from '../live/change-waiter.ts'

/** How long a caller waits for something to happen. */
export interface Wait {
  /** Ends the wait: the time is over or the caller has gone. Aborted by its maker when the call is over, in any case. */
  readonly signal: AbortSignal
  /** Called once, when the call begins to wait. Throws to refuse that. */
  readonly onHeld: () => void
}

export interface Waiting {
  readonly changes: ChangeWaiter
  readonly campaignId: string
  /** Null: looks once. */
  readonly wait: Wait | null
}

/**
 * Looks now and again after each change of the campaign, until what is found is worth an answer, the wait ends or the
 * service stops.
 * @param look is told how many times it was called before
 * @returns what was found last
 */
export async function lookUntil<T>(
  { changes, campaignId, wait }: Waiting,
  look: (times: number) => Promise<T>,
  isEnough: (found: T) => boolean,
): Promise<T> {
  if (wait === null) return look(0)
  for (let times = 0; ; times += 1) {
    // Before the look, so that a commit between the two is not missed.
    const changed = changes.next(campaignId, wait.signal)
    const found = await look(times)
    if (isEnough(found)) return found
    if (times === 0) wait.onHeld()
    await changed
    if (wait.signal.aborted || changes.isEnded) return found
  }
}
