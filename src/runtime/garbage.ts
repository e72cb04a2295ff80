import { getHeapSpaceStatistics } from 'node:v8'

/**
 * More than V8 lets memory outside of its heap grow by before it begins to collect garbage, in steps between other work; at twice
 * as much it would stop for a whole collection.
 */
const ALLOCATION = 96 * 1024 * 1024

/** Bytes of garbage that are worth a collection, and the least milliseconds between two times. */
const ENOUGH = 8 * 1024 * 1024
const INTERVAL = 15_000

/** Bytes by which the heap has grown since it was smallest: part of them is in use. */
const ENOUGH_OF_HEAP = 8 * 1024 * 1024

/**
 * Memory that is needed no more. By itself V8 looks for it when as much was allocated again, which in a service with little to do
 * can take minutes.
 */
export class Garbage {
  private bytes = 0
  private collectedAt = -Infinity
  /** Bytes of the heap at the least since it was asked. */
  private least = Infinity

  /**
   * @param heapBytes what is in the heap, but for its youngest part, which V8 collects by itself often enough
   * @param allocate throws a RangeError when the system gives no memory
   */
  constructor(
    private readonly heapBytes: () => number = bytesOfHeap,
    private readonly allocate = (bytes: number): unknown => new ArrayBuffer(bytes),
  ) {}

  /** Notes bytes outside of the heap that nobody has any more. */
  leave(bytes: number): void {
    this.bytes += bytes
  }

  /**
   * Has V8 look for garbage soon, when there is enough.
   * @param now milliseconds of the monotonic clock
   * @returns whether it was asked
   */
  collect(now: number): boolean {
    const heap = this.heapBytes()
    this.least = Math.min(this.least, heap)
    const isEnough = this.bytes >= ENOUGH || heap - this.least >= ENOUGH_OF_HEAP
    if (!isEnough || now - this.collectedAt < INTERVAL) return false
    this.bytes = 0
    this.collectedAt = now
    this.least = Infinity
    this.ask()
    return true
  }

  private ask(): void {
    try {
      // Never touched, so that the system never gives it.
      this.allocate(ALLOCATION)
    } catch (error) {
      // Where memory is short, V8 has looked for some by then.
      if (!(error instanceof RangeError)) throw error
    }
  }
}

function bytesOfHeap(): number {
  return getHeapSpaceStatistics().reduce(
    (sum, { space_name, space_used_size }) => (space_name.startsWith('new') ? sum : sum + space_used_size),
    0,
  )
}
