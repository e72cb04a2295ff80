import { Temporal } from 'temporal-polyfill'

/** What is accepted as a time on the way in: RFC 3339, or the same without an offset ("naive", as Python writes it). */
export const TIME_INPUT_PATTERN = '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})?$'

const PARTS = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/

/**
 * Reads a time into RFC 3339 UTC with a `Z`. The digits of the fraction stay as they are.
 *
 * @param timezone IANA name of the zone in which a naive time is read. Where a clock change makes it ambiguous the
 *   earlier instant is meant, as Python's `fold=0` does.
 * @returns the instant, or undefined when the text is no time that exists in the calendar
 */
export function parseTime(text: string, timezone: string): string | undefined {
  const parts = PARTS.exec(text)
  if (parts === null) return undefined
  const [, seconds = '', fraction = '', zone] = parts
  if (!existsInCalendar(seconds)) return undefined
  const utc = zone === 'Z' || (zone === undefined && timezone === 'UTC') ? seconds : toUtc(seconds, zone, timezone)
  return utc === undefined ? undefined : `${utc}${fraction}Z`
}

/**
 * Writes an instant as Python's `datetime.isoformat()` writes a naive one: local time of the zone, six fraction
 * digits, none when they are zero.
 */
export function formatNaiveTime(instant: string, timezone: string): string {
  const [, utcSeconds = '', fraction = ''] = PARTS.exec(instant) ?? []
  const seconds = timezone === 'UTC' ? utcSeconds : toLocal(utcSeconds, timezone)
  const micros = fraction.slice(1, 7).padEnd(6, '0')
  return micros === '000000' ? seconds : `${seconds}.${micros}`
}

/** True for a time zone name that this machine knows. An offset is none: where it is meant, the time can carry it. */
export function isTimezone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name)
    return true
  } catch {
    return false
  }
}

/** Orders two instants: negative when a is earlier. Instants differ in their number of digits, so text order fails. */
export function compareTimes(a: string, b: string): number {
  if (a.length === b.length) return a < b ? -1 : a > b ? 1 : 0
  const left = a.slice(0, -1)
  const right = b.slice(0, -1)
  return left < right ? -1 : left > right ? 1 : 0
}

/** The later one of two instants. */
export function laterTime(a: string, b: string): string {
  return compareTimes(a, b) < 0 ? b : a
}

/** V8 reads 30 February as 2 March; writing it back tells. */
function existsInCalendar(seconds: string): boolean {
  const epoch = Date.parse(`${seconds}Z`)
  return !Number.isNaN(epoch) && isoSeconds(epoch) === seconds
}

function toUtc(seconds: string, offset: string | undefined, timezone: string): string | undefined {
  const epoch =
    offset === undefined
      ? Temporal.PlainDateTime.from(seconds).toZonedDateTime(timezone).epochMilliseconds
      : Date.parse(`${seconds}${offset}`)
  const utc = Number.isNaN(epoch) ? '' : isoSeconds(epoch)
  return /^\d{4}-/.test(utc) ? utc : undefined
}

function toLocal(utcSeconds: string, timezone: string): string {
  const local = Temporal.Instant.from(`${utcSeconds}Z`).toZonedDateTimeISO(timezone).toPlainDateTime()
  return local.toString({ smallestUnit: 'second' })
}

function isoSeconds(epochMilliseconds: number): string {
  return new Date(epochMilliseconds).toISOString().replace(/\.\d+Z$/, '')
}
