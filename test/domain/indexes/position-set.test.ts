import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PositionSet } from '#campaignd/domain/indexes/position-set.js'

/** Around where a level of the tree is full, and far beyond. */
const POSITION = fc.oneof(fc.nat(70), fc.integer({ min: 1020, max: 1060 }), fc.nat(40_000))

const STEP = fc.record({ position: POSITION, member: fc.boolean() })

test('every value of a position set matches a set of numbers, whatever was derived from it', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(POSITION),
      fc.array(STEP, { maxLength: 40 }),
      fc.array(POSITION),
      (first, steps, asked) => {
        const members = new Set(first)
        let set = PositionSet.of([...first].sort((a, b) => a - b))
        const values = [{ set, members: new Set(members) }]
        for (const { position, member } of steps) {
          set = member ? set.with(position) : set.without(position)
          if (member) members.add(position)
          else members.delete(position)
          values.push({ set, members: new Set(members) })
        }
        for (const value of values) {
          const sorted = [...value.members].sort((a, b) => a - b)
          expect([...value.set]).toEqual(sorted)
          expect(value.set.isEmpty).toBe(sorted.length === 0)
          for (const from of asked) expect(value.set.next(from)).toBe(sorted.find((member) => member >= from) ?? -1)
        }
      },
    ),
  )
})

test('the empty position set has no first member', () => {
  expect(PositionSet.EMPTY.next(0)).toBe(-1)
  expect(PositionSet.of([]).isEmpty).toBe(true)
  expect(PositionSet.EMPTY.without(5000).isEmpty).toBe(true)
})
