import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TimestampWriter } from '#campaignd/domain/timestamp-writer.js'

const time = fc.integer({ min: Date.parse('0000-01-01T00:00:00Z'), max: Date.parse('9999-12-31T23:59:59.999Z') })

test('a timestamp writer writes every time as Date does, whatever it wrote before', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(time, fc.integer({ min: -1500, max: 1500 }))), (steps) => {
      const writer = new TimestampWriter()
      for (const [first, step] of steps) {
        expect(writer.write(first)).toBe(new Date(first).toISOString())
        expect(writer.write(first + step)).toBe(new Date(first + step).toISOString())
      }
    }),
  )
})

test('a timestamp writer drops fractions of a millisecond', () => {
  const writer = new TimestampWriter()
  expect(writer.write(999.999)).toBe('1970-01-01T00:00:00.999Z')
  expect(writer.write(1000.001)).toBe('1970-01-01T00:00:01.000Z')
  expect(writer.write(-0.5)).toBe('1969-12-31T23:59:59.999Z')
})
