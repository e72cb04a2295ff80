/** Upper bounds in seconds: from a read out of memory to a call behind a slow disk. */
export const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

/** What was answered on one route to one method. */
export class RequestCounter {
  /** How many by status. */
  readonly answers = new Map<number, number>()
  /** How many took longer than the bound before and no longer than that of the bucket; in the last, longer than all. */
  readonly buckets = new Uint32Array(BUCKETS.length + 1)
  seconds = 0

  constructor(
    readonly method: string,
    readonly route: string,
  ) {}

  count(status: number): void {
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1)
  }

  time(seconds: number): void {
    let bucket = 0
    while (seconds > (BUCKETS[bucket] ?? Infinity)) bucket += 1
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1
    this.seconds += seconds
  }
}
