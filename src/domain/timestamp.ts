import { invalid } from './errors.ts'
import { TimeZone } from './time-zone.ts'

const PARTS = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d+)?Z$/

/**
 * What requests may give: RFC 3339, and what Python's `str(datetime)`, `strftime` with `%z`, GNU date and Go print. A blank for the
 * T, small letters, a comma, offsets without a colon or minutes, no seconds.
 */
export const TIME_INPUT =
  '^(\\d{4}-\\d{2}-\\d{2})[Tt ](\\d{2}:\\d{2})(?::([0-5]\\d|60)(?:[.,](\\d{1,9}))?)?(?:([Zz])| ?([+-]\\d{2})(?::?(\\d{2}))?)?$'

const INPUT = new RegExp(TIME_INPUT)

interface TimeReading {
  /** IANA name, for a time without an offset. */
  readonly timezone: string
  /** Of the two instants that a local time may mean at a clock change, the later one is taken if the earlier is before this one. */
  readonly notBefore?: string | null | undefined
}

/**
 * Converts a time to RFC 3339 UTC with a `Z`; the digits of its fraction are kept. A leap second is the second after it, as POSIX
 * has it. At a clock change an ambiguous time is the earlier instant, as with Python's `fold=0`, unless that is before `notBefore`.
 *
 * @returns undefined when there is no such time in the calendar
 */
export function parseTime(text: string, { timezone, notBefore = null }: TimeReading): string | undefined {
  const parts = INPUT.exec(text)
  if (parts === null) return undefined
  const [, date = '', minutes = '', seconds = '00', digits, utc, hours, offsetMinutes = '00'] = parts
  const isLeap = seconds === '60'
  const time = `${date}T${minutes}:${isLeap ? '59' : seconds}`
  if (!existsInCalendar(time)) return undefined
  const fraction = digits === undefined ? '' : `.${digits}`
  const known = (found: string | undefined) => (found === undefined ? undefined : `${found}${fraction}Z`)
  const inUtc = (at: Reading) => known(toUtc(time, isLeap ? 1000 : 0, at))
  if (utc !== undefined || hours !== undefined) return inUtc(utc === undefined ? `${hours}:${offsetMinutes}` : 'Z')
  const earlier = inUtc({ timezone, fold: 0 })
  if (earlier === undefined || notBefore === null || compareTimes(earlier, notBefore) >= 0) return earlier
  const later = inUtc({ timezone, fold: 1 })
  return later !== undefined && compareTimes(later, notBefore) >= 0 ? later : earlier
}

/**
 * Converts a time to RFC 3339 UTC.
 * @param notBefore what it is the end of, if it is one: see `parseTime`
 * @throws DomainError `invalid` at the pointer when there is no such time
 */
export function readTime(text: string, timezone: string, pointer: string, notBefore?: string | null): string {
  const time = parseTime(text, { timezone, notBefore })
  if (time === undefined) throw invalid({ pointer, detail: 'is not a time that exists' })
  return time
}

/** An offset, or a zone and which of two instants is meant where its clocks show the time twice. */
type Reading = string | { readonly timezone: string; readonly fold: 0 | 1 }

/** The first and the last time that Python's `datetime` has. */
const FIRST_NAIVE = '0001-01-01T00:00:00'
const LAST_NAIVE = '9999-12-31T23:59:59.999999'

/**
 * Formats an instant as Python's `datetime.isoformat()` formats a naive one: local time of the zone, with six fraction
 * digits, or none when they are zero. One that Python does not have becomes the nearest that it has, since a tool that cannot read
 * one time of a manifest reads none of it.
 */
export function formatNaiveTime(instant: string, timezone: string): string {
  const [, utcSeconds = '', fraction = ''] = PARTS.exec(instant) ?? []
  const seconds = timezone === 'UTC' ? utcSeconds : toLocal(utcSeconds, timezone)
  if (seconds.startsWith('+')) return LAST_NAIVE
  if (seconds < FIRST_NAIVE) return FIRST_NAIVE
  const micros = fraction.slice(1, 7).padEnd(6, '0')
  return micros === '000000' ? seconds : `${seconds}.${micros}`
}

/** True for the name of a time zone that this machine knows; an offset is not a name. */
export function isTimezone(name: string): boolean {
  return zoneOf(name) !== null
}

/** Negative when a is earlier. Text order fails when the numbers of digits differ. */
export function compareTimes(a: string, b: string): number {
  if (a.length === b.length) return a < b ? -1 : a > b ? 1 : 0
  const left = a.slice(0, -1)
  const right = b.slice(0, -1)
  return left < right ? -1 : left > right ? 1 : 0
}

/** A text by which instants are ordered, and which is the same however many digits the fraction of an instant was given. */
export function timeKey(instant: string): string {
  const seconds = 'yyyy-mm-ddThh:mm:ss'.length
  return `${instant.slice(0, seconds)}.${instant.slice(seconds + 1, -1).padEnd(9, '0')}`
}

/** The later one of two instants. */
export function laterTime(a: string, b: string): string {
  return compareTimes(a, b) < 0 ? b : a
}

/** V8 parses 30 February as 2 March, so the result is compared with the input. */
function existsInCalendar(seconds: string): boolean {
  const epoch = Date.parse(`${seconds}Z`)
  return !Number.isNaN(epoch) && isoSeconds(epoch) === seconds && isYearKnown(seconds)
}

/** Whether the year is one of 0001 to 9999, as Python and most databases have them. */
function isYearKnown(seconds: string): boolean {
  return /^\d{4}-/.test(seconds) && !seconds.startsWith('0000')
}

function toUtc(time: string, more: number, reading: Reading): string | undefined {
  if (reading === 'Z' && more === 0) return time
  const epoch = typeof reading === 'string' ? Date.parse(`${time}${reading}`) : localToEpoch(time, reading)
  const utc = Number.isNaN(epoch) ? '' : isoSeconds(epoch + more)
  return isYearKnown(utc) ? utc : undefined
}

function localToEpoch(time: string, { timezone, fold }: Exclude<Reading, string>): number {
  const local = Date.parse(`${time}Z`)
  return timezone === 'UTC' ? local : knownZone(timezone).toEpoch(local, fold)
}

function toLocal(utcSeconds: string, timezone: string): string {
  return isoSeconds(knownZone(timezone).toLocal(Date.parse(`${utcSeconds}Z`)))
}

/** Zones that were asked for: there are some hundreds, and more names for them. */
const zones = new Map<string, TimeZone | null>()
const MAX_ZONES = 1000

function zoneOf(name: string): TimeZone | null {
  const known = zones.get(name)
  if (known !== undefined) return known
  if (zones.size === MAX_ZONES) zones.clear()
  const zone = TimeZone.named(name)
  zones.set(name, zone)
  return zone
}

function knownZone(name: string): TimeZone {
  const zone = zoneOf(name)
  if (zone === null) throw new RangeError(`${name} is no time zone`)
  return zone
}

function isoSeconds(epochMilliseconds: number): string {
  return new Date(epochMilliseconds).toISOString().replace(/\.\d+Z$/, '')
}
