/** Upper bounds in seconds: from a read out of memory to a call that waits for a slow disk. */
export const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

/** The responses of one route to one method. */
export class RequestCounter {
  /** Their number by status. */
  readonly responses = new Map<number, number>()
  /** Their number by duration: above the previous bound, and up to the bound of the bucket; in the last, above all bounds. */
  readonly buckets = new Uint32Array(BUCKETS.length + 1)
  seconds = 0

  constructor(
    readonly method: string,
    readonly route: string,
  ) {}

  count(status: number): void {
    this.responses.set(status, (this.responses.get(status) ?? 0) + 1)
  }

  time(seconds: number): void {
    let bucket = 0
    while (seconds > (BUCKETS[bucket] ?? Infinity)) bucket += 1
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1
    this.seconds += seconds
  }
}
