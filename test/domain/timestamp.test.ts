import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { compareTimes, formatNaiveTime, isTimezone, parseTime } from '#campaignd/domain/timestamp.js'

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'America/St_Johns', 'Asia/Kolkata', 'Australia/Lord_Howe']

/** Of Berlin, New York and Lord Howe, in seconds since 1970. */
const CLOCK_CHANGES = ['2026-03-29T01:00Z', '2026-10-25T01:00Z', '2026-11-01T06:00Z', '2026-04-04T15:00Z'].map(
  (time) => Date.parse(time) / 1000,
)

/** Instants to the microsecond, as RFC 3339. */
const instant = fc
  .tuple(
    fc.date({ min: new Date('1970-01-02T00:00:00Z'), max: new Date('2099-12-31T00:00:00Z'), noInvalidDate: true }),
    fc.nat(999),
  )
  .map(([date, micros]) => date.toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`))

describe('a naive time', () => {
  test('a naive time in the zone UTC is that time', () => {
    expect(parseTime('2026-02-03T21:04:17.319159', { timezone: 'UTC' })).toBe('2026-02-03T21:04:17.319159Z')
  })

  test.each([
    ['2026-02-03T21:04:17', '2026-02-03T20:04:17Z', 'winter'],
    ['2026-07-03T21:04:17', '2026-07-03T19:04:17Z', 'summer'],
    ['2026-10-25T02:30:00', '2026-10-25T00:30:00Z', 'the first of two, as Python reads it with fold=0'],
    ['2026-10-25T01:59:59', '2026-10-24T23:59:59Z', 'the last before the clocks go back'],
    ['2026-10-25T03:00:00', '2026-10-25T02:00:00Z', 'the first after both'],
    [
      '2026-03-29T02:30:00',
      '2026-03-29T01:30:00Z',
      'in the gap, by the offset before it, as Python reads it with fold=0',
    ],
    ['2026-03-29T03:30:00', '2026-03-29T01:30:00Z', 'after the gap'],
  ])('a naive time %s in Berlin is %s: %s', (naive, utc) => {
    expect(parseTime(naive, { timezone: 'Europe/Berlin' })).toBe(utc)
  })

  test('a naive time that Python wrote comes back as it was, in any zone', () => {
    fc.assert(
      fc.property(instant, fc.constantFrom(...ZONES), (time, zone) => {
        const naive = formatNaiveTime(time, zone)
        expect(naive).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/)
        expect(formatNaiveTime(parseTime(naive, { timezone: zone }) ?? '', zone)).toBe(naive)
      }),
    )
  })

  test('a naive time is the one that Temporal gives, in both directions and beside each clock change', () => {
    const beside = fc
      .constantFrom(...CLOCK_CHANGES)
      .chain((change) => fc.integer({ min: change - 9000, max: change + 9000 }))
    const second = fc.oneof(beside, fc.integer({ min: -2e9, max: 4e9 }))
    fc.assert(
      fc.property(second, fc.constantFrom(...ZONES), (seconds, zone) => {
        const utc = new Date(seconds * 1000).toISOString().slice(0, -'.000Z'.length)
        const local = Temporal.Instant.from(`${utc}Z`).toZonedDateTimeISO(zone).toPlainDateTime()
        expect(formatNaiveTime(`${utc}Z`, zone)).toBe(local.toString({ smallestUnit: 'second' }))
        const epoch = Temporal.PlainDateTime.from(utc).toZonedDateTime(zone).epochMilliseconds
        expect(Date.parse(parseTime(utc, { timezone: zone }) ?? '')).toBe(epoch)
      }),
    )
  })

  test('a naive time of UTC has the digits of the instant', () => {
    fc.assert(
      fc.property(instant, (time) => {
        expect(formatNaiveTime(time, 'UTC')).toBe(time.replace(/(\.000000)?Z$/, ''))
      }),
    )
  })
})

describe('a year that Python does not have', () => {
  test.each([
    ['0001-01-01T00:00:00Z', 'America/New_York', '0001-01-01T00:00:00'],
    ['0001-01-01T04:00:00.5Z', 'America/New_York', '0001-01-01T00:00:00'],
    ['0000-06-01T00:00:00Z', 'UTC', '0001-01-01T00:00:00'],
    ['9999-12-31T23:30:00Z', 'Asia/Kolkata', '9999-12-31T23:59:59.999999'],
    ['9999-12-31T23:30:00.25Z', 'UTC', '9999-12-31T23:30:00.250000'],
    ['0001-01-01T00:00:00Z', 'UTC', '0001-01-01T00:00:00'],
  ])('a year that Python does not have is not written: %s in %s is %s', (instant, zone, naive) => {
    expect(formatNaiveTime(instant, zone)).toBe(naive)
  })

  test.each([
    ['0000-06-01T00:00:00Z', 'UTC'],
    ['0000-06-01T00:00:00', 'UTC'],
    ['0001-01-01T00:00:00', 'Asia/Kolkata'],
    ['0001-01-01T00:00:00+05:30', 'UTC'],
    ['9999-12-31T23:30:00', 'America/New_York'],
    ['9999-12-31T23:30:00-05:00', 'UTC'],
  ])('a year that Python does not have is not read: %s in %s', (text, zone) => {
    expect(parseTime(text, { timezone: zone })).toBeUndefined()
  })
})

describe('a naive time written', () => {
  test.each([
    ['2026-02-03T21:04:17Z', '2026-02-03T21:04:17'],
    ['2026-02-03T21:04:17.000Z', '2026-02-03T21:04:17'],
    ['2026-02-03T21:04:17.3Z', '2026-02-03T21:04:17.300000'],
    ['2026-02-03T21:04:17.319159Z', '2026-02-03T21:04:17.319159'],
    ['2026-02-03T21:04:17.319159999Z', '2026-02-03T21:04:17.319159'],
  ])('a naive time written for %s is %s: six digits or none', (time, naive) => {
    expect(formatNaiveTime(time, 'UTC')).toBe(naive)
  })

  test('a naive time written is local time of the zone', () => {
    expect(formatNaiveTime('2026-12-31T23:30:00Z', 'Asia/Kolkata')).toBe('2027-01-01T05:00:00')
  })
})

describe('a time with an offset', () => {
  test.each([
    ['2026-02-03T21:04:17+00:00', '2026-02-03T21:04:17Z'],
    ['2026-02-03T21:04:17+02:00', '2026-02-03T19:04:17Z'],
    ['2026-02-03T21:04:17-03:30', '2026-02-04T00:34:17Z'],
    ['2026-01-01T00:30:00+05:45', '2025-12-31T18:45:00Z'],
    ['2026-02-03T21:04:17Z', '2026-02-03T21:04:17Z'],
  ])('a time with an offset %s is %s, whatever the zone', (text, utc) => {
    for (const zone of ZONES) expect(parseTime(text, { timezone: zone })).toBe(utc)
  })
})

test.each(['.3', '.319', '.319159', '.319159000', '.000', ''])('the fraction "%s" keeps its digits', (fraction) => {
  for (const offset of ['', 'Z', '+02:00']) {
    expect(parseTime(`2026-02-03T21:04:17${fraction}${offset}`, { timezone: 'Europe/Berlin' })).toMatch(
      `:17${fraction}Z`,
    )
  }
})

test.each([
  '2026-02-30T12:00:00',
  '2025-02-29T12:00:00',
  '2026-04-31T12:00:00',
  '2026-13-01T12:00:00',
  '2026-00-10T12:00:00',
  '2026-01-00T12:00:00',
  '2026-01-01T24:00:00',
  '2026-01-01T25:00:00',
  '2026-01-01T12:60:00',
])('there is no %s', (naive) => {
  for (const offset of ['', 'Z', '+02:00'])
    expect(parseTime(`${naive}${offset}`, { timezone: 'Europe/Berlin' })).toBeUndefined()
})

test.each(['', 'yesterday', '2026-02-03', '1770152657'])('no time is read from "%s"', (text) => {
  expect(parseTime(text, { timezone: 'UTC' })).toBeUndefined()
})

test.each([
  '2026-01-01T12:00:00+24:00',
  '2026-01-01T12:00:00+01:60',
  '0000-01-01T00:00:00+01:00',
  '9999-12-31T23:30:00-01:00',
])('%s is no instant that can be written', (text) => {
  expect(parseTime(text, { timezone: 'UTC' })).toBeUndefined()
})

test('29 February is there in a leap year', () => {
  expect(parseTime('2028-02-29T12:00:00', { timezone: 'UTC' })).toBe('2028-02-29T12:00:00Z')
})

test('times are ordered as instants, whatever their number of digits', () => {
  const fraction = fc.stringMatching(/^(\.\d{1,9})?$/)
  const second = fc.constantFrom('2026-02-03T21:04:17', '2026-02-03T21:04:18', '2026-02-03T21:05:17')
  const time = fc.tuple(second, fraction).map(([seconds, digits]) => `${seconds}${digits}Z`)
  fc.assert(
    fc.property(time, time, (a, b) => {
      fc.pre(nanoseconds(a) !== nanoseconds(b))
      expect(compareTimes(a, b) < 0).toBe(nanoseconds(a) < nanoseconds(b))
      expect(compareTimes(b, a) < 0).toBe(nanoseconds(b) < nanoseconds(a))
    }),
  )
})

test('a time equals itself', () => {
  expect(compareTimes('2026-02-03T21:04:17.5Z', '2026-02-03T21:04:17.5Z')).toBe(0)
})

test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires'])('%s is a time zone', (name) => {
  expect(isTimezone(name)).toBe(true)
})

test.each(['', 'Mars/Olympus', '+02:00', '2026-02-03T21:04:17Z'])('"%s" is not the name of a time zone', (name) => {
  expect(isTimezone(name)).toBe(false)
})

function nanoseconds(time: string): bigint {
  const [seconds = '', fraction = ''] = time.slice(0, -1).split('.')
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

test.each([
  ['2026-02-03 21:04:17.319159', '2026-02-03T21:04:17.319159Z', 'Python str(datetime)'],
  ['2026-02-03 21:04:17+00:00', '2026-02-03T21:04:17Z', 'Python str(datetime) with a zone'],
  ['2026-02-03T21:04:17+0100', '2026-02-03T20:04:17Z', 'strftime %z'],
  ['2026-02-03 21:04:17 +0100', '2026-02-03T20:04:17Z', 'GNU date with %F %T %z'],
  ['2026-02-03T21:04:17-0330', '2026-02-04T00:34:17Z', 'strftime %z'],
  ['2026-02-03T21:04:17,123456789+01:00', '2026-02-03T20:04:17.123456789Z', 'GNU date -Ins'],
  ['2026-02-03T21:04Z', '2026-02-03T21:04:00Z', 'GNU date -Iminutes'],
  ['2026-02-03T21:04+01:00', '2026-02-03T20:04:00Z', 'GNU date -Iminutes'],
  ['2026-02-03t21:04:17z', '2026-02-03T21:04:17Z', 'RFC 3339 in small letters'],
  ['2026-02-03T21:04:17.5+01', '2026-02-03T20:04:17.5Z', 'an offset in hours'],
  ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00Z', 'a leap second'],
  ['2017-01-01T00:59:60.25+01:00', '2017-01-01T00:00:00.25Z', 'a leap second elsewhere'],
])('%s is %s: %s', (text, utc) => {
  expect(parseTime(text, { timezone: 'UTC' })).toBe(utc)
})

test.each([
  '2026-02-03T21:04:61Z',
  '2026-02-03T24:04:17Z',
  '2026-02-03T21:04:17+25:00',
  '2026-02-03',
  '2026-02-03T21Z',
  '2026-02-03T21:04:17 Z',
])('%s is no time', (text) => {
  expect(parseTime(text, { timezone: 'UTC' })).toBeUndefined()
})

describe('where clocks show a time twice', () => {
  const local = '2026-10-25T02:10:00'
  const read = (notBefore?: string) => parseTime(local, { timezone: 'Europe/Berlin', notBefore })

  test('it is the first of both', () => {
    expect(read()).toBe('2026-10-25T00:10:00Z')
    expect(read('2026-10-25T00:10:00Z')).toBe('2026-10-25T00:10:00Z')
  })

  test('it is the second where only that is after what it is the end of', () => {
    expect(read('2026-10-25T00:50:00Z')).toBe('2026-10-25T01:10:00Z')
  })

  test('it is the first where neither is', () => {
    expect(read('2026-10-25T02:00:00Z')).toBe('2026-10-25T00:10:00Z')
  })
})
