import { Temporal } from 'temporal-polyfill'

const DAY_MS = 86_400_000

/** A time in which the zone has one offset. All in milliseconds, since 1970 or from UTC. */
interface Span {
  readonly from: number
  readonly until: number
  readonly offset: number
}

/**
 * A time zone of the IANA list. It remembers the spans between the clock changes that it was asked about: to ask Temporal about
 * each of 100,000 times takes many seconds.
 */
export class TimeZone {
  /** In their order. */
  private readonly spans: Span[] = []

  private constructor(private readonly name: string) {}

  /** Null when this machine knows no zone of that name; an offset is not a name. */
  static named(name: string): TimeZone | null {
    if (!/^[A-Za-z]/.test(name)) return null
    try {
      Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name)
      return new TimeZone(name)
    } catch {
      return null
    }
  }

  /**
   * @param epoch milliseconds since 1970
   * @returns milliseconds from 1970 to what clocks in the zone show then
   */
  toLocal(epoch: number): number {
    return epoch + this.spanAt(epoch).offset
  }

  /**
   * The instant at which clocks show a time; in a gap by the offset before it, as Python has it.
   * @param fold of two instants the first (0) or the second (1)
   */
  toEpoch(local: number, fold: 0 | 1 = 0): number {
    let span = this.spanAt(local - DAY_MS)
    for (;;) {
      const epoch = local - span.offset
      if (span.until === Infinity) return epoch
      const next = this.spanAt(span.until)
      const isOver = epoch >= span.until
      const isInNext = local - next.offset >= next.from
      if (!isInNext || (!isOver && fold === 0)) return epoch
      span = next
    }
  }

  private spanAt(epoch: number): Span {
    const index = this.indexAfter(epoch)
    const known = this.spans[index - 1]
    if (known !== undefined && epoch < known.until) return known
    const span = this.findSpan(epoch)
    this.spans.splice(index, 0, span)
    return span
  }

  /** How many spans begin at or before the time. */
  private indexAfter(epoch: number): number {
    let low = 0
    let high = this.spans.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.spans[middle]?.from ?? Infinity) <= epoch) low = middle + 1
      else high = middle
    }
    return low
  }

  private findSpan(epoch: number): Span {
    const time = Temporal.Instant.fromEpochMilliseconds(epoch).toZonedDateTimeISO(this.name)
    // A clock change at this very time counts as the one before.
    const before = time.add({ nanoseconds: 1 }).getTimeZoneTransition('previous')
    const after = time.getTimeZoneTransition('next')
    return {
      from: before?.epochMilliseconds ?? -Infinity,
      until: after?.epochMilliseconds ?? Infinity,
      offset: time.offsetNanoseconds / 1e6,
    }
  }
}

/** Loads what every time zone needs, which holds the event loop for 25 ms: at the start, so that no call does. */
export function loadTimeZones(): void {
  TimeZone.named('Europe/Berlin')?.toLocal(0)
}
