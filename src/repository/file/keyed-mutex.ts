/** Lets work on the same thing take turns: what comes second begins with what the first has left. */
export class KeyedMutex {
  private readonly last = new Map<string, Promise<void>>()

  /** Does the work once all that was to be done on the same thing before is over, whether it went well or not. */
  async run(thing: string, work: () => Promise<void>): Promise<void> {
    const before = this.last.get(thing) ?? Promise.resolve()
    const turn = before.then(work)
    const idle = turn.catch(() => undefined)
    this.last.set(thing, idle)
    try {
      await turn
    } finally {
      if (this.last.get(thing) === idle) this.last.delete(thing)
    }
  }

  /** Resolves when all turns are over that were asked for by now. */
  async over(): Promise<void> {
    await Promise.all(this.last.values())
  }
}
