/** Milliseconds from which on a commit is worth waiting for. */
const SLOW = 2
/** How long the next commit waits for one more call, as a share of the time that the last one took. */
const SHARE = 0.25
/** Milliseconds of the event loop for a call and its response. */
const CALL = 0.04

/**
 * When to begin the next commit of a campaign. Clients that were answered together mostly call again together: a commit that
 * begins with the first of them leaves the others to wait for one of their own. So it waits until as many are there as took part
 * in the last commit or waited for its end, while they keep coming, for as long as that commit took at most. A lone writer never
 * waits, nor does anybody where the calls keep the event loop busy for longer than the disk.
 */
export class GroupCommitTimer {
  private expected = 0
  private took = 0
  private deadline = -Infinity
  /** Ends the current pause. */
  private wake: (() => void) | null = null

  /** @param took milliseconds that the commit kept the disk: the whole wait would count the other campaigns on that disk */
  onCommitted({ answered, waiting, took }: { answered: number; waiting: number; took: number }): void {
    this.expected = answered + waiting
    this.took = took
    const isWorthIt = took >= SLOW && this.expected * CALL < took
    this.deadline = isWorthIt ? performance.now() + took : -Infinity
  }

  /** True when the next commit is to wait for the callers that the last one answers. */
  get isWaitWorthwhile(): boolean {
    return this.deadline > performance.now()
  }

  /**
   * With how many calls a commit begins before the end of this turn of the event loop: with half of all, where half keeps the
   * event loop busy for longer than the disk, which then works while the other half is answered; elsewhere with none.
   */
  get minimumBatch(): number {
    const half = this.expected / 2
    return half * CALL > this.took ? half : Infinity
  }

  /** A call came; so many wait for the next commit with it. */
  onCall(waiting: number): void {
    if (waiting >= this.expected) this.wake?.()
  }

  /** @param waiting how many calls wait for the next commit */
  async waitForMore(waiting: () => number): Promise<void> {
    let before = 0
    while (waiting() > before && waiting() < this.expected && this.isWaitWorthwhile) {
      before = waiting()
      await this.pause()
    }
  }

  /** Until all are there that are expected, or it has lasted its share; and what came in that turn of the event loop was read. */
  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.wake = null
        setImmediate(resolve)
      }
      const timer = setTimeout(end, Math.min(this.took * SHARE, this.deadline - performance.now()))
      this.wake = end
    })
  }
}
