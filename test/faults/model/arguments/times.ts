import { Refused } from '../campaign/refused.js'

/** Times as they are given, and what each becomes. The model reads no others, so it needs no calendar of its own. */
const TIMES: Readonly<Record<string, string | null>> = {
  '2026-02-03T21:04:17.319Z': '2026-02-03T21:04:17.319Z',
  '2026-02-03T21:04:17.319159': '2026-02-03T21:04:17.319159Z',
  '2026-02-03T22:04:17+01:00': '2026-02-03T21:04:17Z',
  '2026-01-31T23:59:59.5-00:30': '2026-02-01T00:29:59.5Z',
  // By a clock that is ahead of any that a run has.
  '2031-01-01T00:00:00Z': '2031-01-01T00:00:00Z',
  '2026-02-30T00:00:00Z': null,
}

export const GIVEN_TIMES = Object.keys(TIMES)

export const GOOD_TIMES = GIVEN_TIMES.filter((text) => TIMES[text] !== null)

/** @throws Refused for a day that no calendar has */
export function readTime(text: string): string {
  const time = TIMES[text]
  if (time === undefined) throw new Error(`the model does not know the time ${text}`)
  if (time === null) throw new Refused(400, 'invalid')
  return time
}

/** A time as text that sorts, however many digits it has. */
export function sortable(time: string): string {
  return time
    .slice(0, -1)
    .replace(/(:\d\d)$/, '$1.')
    .padEnd(29, '0')
}

export function earliest(times: readonly (string | null)[]): string | null {
  const known = times.filter((time) => time !== null)
  return known.sort((a, b) => (sortable(a) < sortable(b) ? -1 : 1))[0] ?? null
}
