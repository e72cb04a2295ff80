/** Opened once and used by one test after the other. */
export interface Poolable {
  /** Restores the state after the opening; false when a test has made that impossible. */
  reset(): Promise<boolean>
  close(): Promise<void>
}

/** Services for the next tests of the file. Opening one costs more than most tests: threads of the store, schemas of the app. */
export class AppPool<T extends Poolable> {
  private readonly idle: T[] = []

  constructor(private readonly open: () => Promise<T>) {
    pools.add(this)
  }

  async acquire(): Promise<T> {
    return this.idle.pop() ?? (await this.open())
  }

  async release(one: T): Promise<void> {
    if (await one.reset()) this.idle.push(one)
    else await one.close()
  }

  async close(): Promise<void> {
    await Promise.all(this.idle.splice(0).map((one) => one.close()))
  }
}

const pools = new Set<Pick<AppPool<Poolable>, 'close'>>()

/** At the end of each file, so that none keeps the process running. */
export async function closePools(): Promise<void> {
  await Promise.all([...pools].map((pool) => pool.close()))
}
