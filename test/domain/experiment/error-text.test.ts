import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLeftOf, keepTail, MAX_ERROR_BYTES, MAX_PAST_ERROR_BYTES } from '#campaignd/domain/experiment/error-text.js'

const LIMITS = [MAX_PAST_ERROR_BYTES, MAX_ERROR_BYTES]

const NOTE = /^\[(\d+) bytes cut\]\n/

/** Texts of any characters, of one byte to four, around the length of the limits. */
const text = fc
  .tuple(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), fc.nat(20_000))
  .map(([piece, bytes]) => piece.repeat(Math.ceil(bytes / Buffer.byteLength(piece))))

const limit = fc.constantFrom(...LIMITS)

function checkAll(check: (text: string, limit: number, kept: string) => void): void {
  fc.assert(
    fc.property(text, limit, (whole, bytes) => {
      check(whole, bytes, keepTail(whole, bytes))
    }),
  )
}

test('a cut error never exceeds the limit in bytes', () => {
  checkAll((_, bytes, kept) => expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(bytes))
})

test('a cut error, cut again, stays as it is', () => {
  checkAll((_, bytes, kept) => expect(keepTail(kept, bytes)).toBe(kept))
})

test('a cut error is the end of the text, in whole characters, and the note has the length that was cut', () => {
  checkAll((whole, bytes, kept) => {
    if (Buffer.byteLength(whole) <= bytes) return
    const [note = '', cut] = NOTE.exec(kept) ?? []
    const end = kept.slice(note.length)
    expect(whole.endsWith(end)).toBe(true)
    expect(end.isWellFormed()).toBe(true)
    expect(Buffer.byteLength(end) + Number(cut)).toBe(Buffer.byteLength(whole))
  })
})

test('an error that is cut twice is what it would be if it was cut once, and is known to be left of the text', () => {
  checkAll((whole, bytes, kept) => {
    for (const less of [bytes, 200, 64]) {
      const again = keepTail(kept, less)
      expect(again).toBe(keepTail(whole, less))
      expect(isLeftOf(whole, again)).toBe(true)
      expect(isLeftOf(kept, again)).toBe(true)
      expect(isLeftOf(`${whole}.`, again)).toBe(false)
    }
  })
})

test('a cut error keeps nearly all that fits', () => {
  checkAll((whole, bytes, kept) => {
    expect(Buffer.byteLength(kept)).toBeGreaterThan(Math.min(Buffer.byteLength(whole), bytes - 64) - 1)
  })
})

test.each(LIMITS)('a text of %i bytes is kept as it is, one byte more is not', (bytes) => {
  const fitting = 'é'.repeat(bytes / 2)
  expect(keepTail(fitting, bytes)).toBe(fitting)
  expect(keepTail(`x${fitting}`, bytes)).toMatch(NOTE)
})
