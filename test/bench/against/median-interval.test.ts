import { describe, expect, test } from 'vitest'
import { medianInterval, ratioFor, verdictOf } from './median-interval.js'

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

/** Random numbers that are the same each time. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

describe('the interval of a median', () => {
  test('the interval of eleven values lies between their second and third from each end', () => {
    const { low, middle, high, confidence } = medianInterval([11, 3, 7, 1, 9, 5, 2, 10, 4, 8, 6])
    expect(middle).toBe(6)
    expect(low).toBeCloseTo(2.918, 3)
    expect(high).toBeCloseTo(9.082, 3)
    expect(confidence).toBe(0.95)
  })

  test('the interval of an even number of values lies about the mean of the two in the middle', () => {
    const { low, middle, high } = medianInterval(upTo(10))
    expect(middle).toBe(5.5)
    expect(low + high).toBeCloseTo(11, 10)
  })

  test('the interval of too few values is their range, at the confidence that this has', () => {
    expect(medianInterval([3, 1, 2])).toEqual({ low: 1, middle: 2, high: 3, confidence: 0.75 })
    expect(medianInterval([1.2])).toEqual({ low: 1.2, middle: 1.2, high: 1.2, confidence: 0 })
  })

  test.each([6, 11, 20])('the interval of %i values holds the true median in 95 of 100 samples', (count) => {
    const random = randomFrom(count)
    // Skewed, as times are.
    const sample = () => upTo(count).map(() => -Math.log(1 - random()))
    const samples = 4000
    let held = 0
    for (let index = 0; index < samples; index += 1) {
      const { low, high } = medianInterval(sample())
      if (low <= Math.LN2 && Math.LN2 <= high) held += 1
    }
    expect(held / samples).toBeGreaterThan(0.935)
    expect(held / samples).toBeLessThan(0.97)
  })
})

describe('a verdict', () => {
  const verdict = (low: number, high: number, confidence = 0.95) =>
    verdictOf({ low, middle: (low + high) / 2, high, confidence })

  test('a verdict is worse or better only when the whole interval is', () => {
    expect(verdict(0.9, 0.949)).toBe('worse')
    expect(verdict(0.9, 0.95)).toBe('same')
    expect(verdict(1.05, 1.2)).toBe('same')
    expect(verdict(1.051, 1.2)).toBe('better')
  })

  test('there is no verdict without a 95 % interval', () => {
    expect(verdict(0.5, 0.6, 0.9)).toBe('too few pairs')
  })

  test('a verdict is of ratios that are above 1 when this build has the higher rate or the lower cost', () => {
    expect(ratioFor('more', 110, 100)).toBeCloseTo(1.1, 10)
    expect(ratioFor('less', 100, 110)).toBeCloseTo(1.1, 10)
    expect(() => ratioFor('less', 0, 0)).toThrow('cannot be compared')
  })
})
