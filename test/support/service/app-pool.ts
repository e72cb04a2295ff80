/** What is opened once and used by one test after the other. */
export interface Poolable {
  /** Makes it what it was when it was opened; false when a test has left what cannot be undone. */
  reset(): Promise<boolean>
  close(): Promise<void>
}

/**
 * Services that wait for the next test of the file. To open one costs more than most tests: a store starts threads, an app compiles
 * its schemas.
 */
export class AppPool<T extends Poolable> {
  private readonly idle: T[] = []

  constructor(private readonly open: () => Promise<T>) {
    pools.add(this)
  }

  async acquire(): Promise<T> {
    return this.idle.pop() ?? (await this.open())
  }

  /** To be called once the test has ended. */
  async release(one: T): Promise<void> {
    if (await one.reset()) this.idle.push(one)
    else await one.close()
  }

  async close(): Promise<void> {
    await Promise.all(this.idle.splice(0).map((one) => one.close()))
  }
}

const pools = new Set<Pick<AppPool<Poolable>, 'close'>>()

/** At the end of each file: none keeps its process from ending. */
export async function closePools(): Promise<void> {
  await Promise.all([...pools].map((pool) => pool.close()))
}
