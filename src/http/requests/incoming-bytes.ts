/** Milliseconds in which a body has to grow by so many bytes a second while there is no room: it holds up others. */
const INTERVAL = 5_000
const MIN_RATE = 32 * 1024

/** A body that is on its way. */
export interface GrowingBody {
  readonly length: number
  /** Closes its connection. */
  cut(): void
}

/** What a body had when it was looked at. */
interface Sample {
  readonly at: number
  readonly length: number
}

/**
 * The bytes of all bodies that are in memory, as they unpack. When they are too many, those are cut off that hardly grow: two that stand
 * still would keep out all that are not small.
 */
export class IncomingBytes {
  private total = 0
  private readonly growing = new Map<GrowingBody, Sample | null>()

  /** @param now milliseconds of the monotonic clock */
  constructor(
    private readonly limit: number,
    private readonly now = (): number => performance.now(),
  ) {}

  add(body: GrowingBody): void {
    this.growing.set(body, null)
  }

  /** It is whole, or needed no more. */
  remove(body: GrowingBody): void {
    this.growing.delete(body)
  }

  hasRoom(): boolean {
    if (this.total > this.limit) this.relieve(this.now())
    return this.total <= this.limit
  }

  private relieve(now: number): void {
    for (const [body, sample] of this.growing) {
      const seconds = sample === null ? 0 : (now - sample.at) / 1000
      if (sample !== null && seconds * 1000 < INTERVAL) continue
      this.growing.set(body, { at: now, length: body.length })
      if (sample !== null && body.length - sample.length < seconds * MIN_RATE) body.cut()
    }
  }

  /** Counts so many more, or with a negative number fewer. */
  change(bytes: number): void {
    this.total += bytes
  }
}
