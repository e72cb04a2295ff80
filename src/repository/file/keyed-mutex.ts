/** Runs work on the same key one after the other: what comes second begins with what the first has left. */
export class KeyedMutex {
  private readonly last = new Map<string, Promise<void>>()

  /** Runs the work once all earlier work on the key has ended, whether it went well or not. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.last.get(key) ?? Promise.resolve()
    const result = before.then(work)
    const ended = result.then(
      () => undefined,
      () => undefined,
    )
    this.last.set(key, ended)
    try {
      return await result
    } finally {
      if (this.last.get(key) === ended) this.last.delete(key)
    }
  }

  /** Resolves when all work has ended that was asked for before. */
  async idle(): Promise<void> {
    await Promise.all(this.last.values())
  }
}
