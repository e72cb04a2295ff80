/**
 * More than V8 lets memory outside of its heap grow by before it begins to collect garbage, in steps between other work; at twice
 * as much it would stop for a whole collection.
 */
const ALLOCATION = 96 * 1024 * 1024

/** Bytes of garbage that are worth a collection, and the least milliseconds between two times. */
const ENOUGH = 8 * 1024 * 1024
const INTERVAL = 15_000

/**
 * Buffers that are needed no more. By itself V8 looks for them when as much was allocated again, which in a service with little to do
 * can take minutes.
 */
export class Garbage {
  private bytes = 0
  private collectedAt = -Infinity

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
    if (this.bytes < ENOUGH || now - this.collectedAt < INTERVAL) return false
    this.bytes = 0
    this.collectedAt = now
    // Never touched, so that the system never gives it.
    return new ArrayBuffer(ALLOCATION).byteLength > 0
  }
}
