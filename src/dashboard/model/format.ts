/** Numbers and times as people read them. A dash stands for what is not known. */

const DASH = '–'

const WHOLE = new Intl.NumberFormat('en')
const SIX_DIGITS = new Intl.NumberFormat('en', { maximumSignificantDigits: 6 })
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const SHORT_CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const DAY_OF_YEAR = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })

export function whole(count: number): string {
  return WHOLE.format(count)
}

/** `1 experiment`, `12 experiments`, `2 losses`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${whole(count)} ${count === 1 ? noun : plural}`
}

/** `812.4`, `52,000`, `3.1e-7`: six digits, or all before the point. */
export function figure(value: number): string {
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e12)) return Number(value.toPrecision(6)).toExponential()
  return size < 1e6 ? SIX_DIGITS.format(value) : WHOLE.format(Math.round(value))
}

/** `2 d 03 h`, `1 h 05 m`, `4 m 07 s`, `12 s`, `0.4 s`. */
export function duration(milliseconds: number | null): string {
  if (milliseconds === null || milliseconds < 0) return DASH
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 1 && milliseconds > 0) return `${(Math.max(100, milliseconds) / 1000).toFixed(1)} s`
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} m`
  return `${whole(Math.floor(seconds / 86_400))} d ${two(Math.floor((seconds % 86_400) / 3600))} h`
}

/** How long ago, in one unit: `just now`, `12 s ago`, `3 h ago`, and from a week on the day. */
export function ago(time: number | null, now: number): string {
  if (time === null) return DASH
  const seconds = Math.max(0, Math.round((now - time) / 1000))
  if (seconds < 5) return 'just now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  if (seconds < 7 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`
  return DAY_OF_YEAR.format(time)
}

/** `14:03:27`, in the reader's zone. */
export function clock(time: number | null): string {
  return time === null ? DASH : CLOCK.format(time)
}

export function shortClock(time: number): string {
  return SHORT_CLOCK.format(time)
}

export function day(time: number): string {
  return DAY.format(time)
}

/** Day and time, in the reader's zone. */
export function dateTime(time: number | null): string {
  return time === null ? DASH : `${DAY_OF_YEAR.format(time)}, ${CLOCK.format(time)}`
}

/** `37 %`; rounded down, so that 100 means all. */
export function percent(fraction: number): string {
  return `${Math.floor(fraction * 100 + 1e-9)} %`
}

/** Completions an hour, or a minute when there are many; null is a dash. */
export function rate(perHour: number | null): string {
  if (perHour === null) return DASH
  if (perHour >= 600) return `${whole(Math.round(perHour / 60))} / min`
  return `${perHour >= 100 ? Math.round(perHour) : perHour.toFixed(1)} / h`
}

export function orDash(text: string | number | null): string {
  return text === null || text === '' ? DASH : String(text)
}

/** Milliseconds of a time in a manifest; null when there is none. */
export function timeOf(text: string | null): number | null {
  return text === null ? null : Date.parse(text)
}

function two(count: number): string {
  return String(count).padStart(2, '0')
}
