import { setImmediate as nextTurn } from 'node:timers/promises'

/** Of the time that a commit took: how long the next one waits at most for calls that are on their way. */
const PATIENCE = 0.5

/**
 * When to begin the next commit of a campaign. Clients that were just answered, together, mostly call again together: to begin
 * with the first of them leaves the others to wait for a commit of their own, so that of 64 only half share each. Waits until as
 * many are there as took part in the last commit or waited for its end, for a part of its time at most; so a lone writer never
 * waits.
 */
export class CommitRhythm {
  private expected = 0
  private deadline = -Infinity

  /** A commit ended: how many calls it answered, how many wait by now, and the milliseconds that it took. */
  ended({ answered, waiting, took }: { answered: number; waiting: number; took: number }): void {
    this.expected = answered + waiting
    this.deadline = performance.now() + took * PATIENCE
  }

  /** @param waiting how many calls wait for the next commit */
  async gather(waiting: () => number): Promise<void> {
    while (waiting() < this.expected && performance.now() < this.deadline) await nextTurn()
  }
}
