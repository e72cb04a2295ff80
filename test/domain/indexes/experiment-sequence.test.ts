import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { ExperimentSequence } from '#campaignd/domain/indexes/experiment-sequence.js'
import { hasStatus, type Summary } from '#campaignd/domain/indexes/summary.js'
import { atOnce } from '#campaignd/domain/long-work.js'
import { experiment } from '../../support/campaigns/drafts.js'

const SIZES = [1, 2, 31, 32, 33, 63, 64, 65, 1023, 1024, 1025, 1056, 1057]

const PENDING = experiment()
const FAILED = experiment({ status: 'failed' })

/** Pending ones of an awkward number, with failed ones in some places. */
const contents = fc
  .record({ size: fc.constantFrom(...SIZES), failed: fc.array(fc.nat(), { maxLength: 8 }) })
  .map(({ size, failed }) => {
    const places = new Set(failed.map((place) => place % size))
    return Array.from({ length: size }, (_, place) => (places.has(place) ? FAILED : PENDING))
  })

const isFailed: (summary: Summary) => boolean = hasStatus('failed')

function expectSame(sequence: ExperimentSequence, experiments: readonly Experiment[], from: number): void {
  expect(sequence).toHaveLength(experiments.length)
  expect([...sequence]).toEqual(experiments)
  const scanned = experiments.findIndex(({ status }, place) => place >= from && status === 'failed')
  expect(sequence.next(from, isFailed)).toBe(scanned)
}

test('next finds what a scan finds', () => {
  fc.assert(
    fc.property(contents, fc.nat(1100), (experiments, from) => {
      expectSame(atOnce(ExperimentSequence.from(experiments)), experiments, from)
    }),
  )
})

test('next, called repeatedly, finds all that match, in order', () => {
  fc.assert(
    fc.property(contents, (experiments) => {
      const sequence = atOnce(ExperimentSequence.from(experiments))
      const found: number[] = []
      for (let at = sequence.next(0, isFailed); at !== -1; at = sequence.next(at + 1, isFailed)) found.push(at)
      expect(found).toEqual(experiments.flatMap(({ status }, place) => (status === 'failed' ? [place] : [])))
    }),
  )
})

test('a replaced experiment is found, and the sequence before stays as it was', () => {
  fc.assert(
    fc.property(contents, fc.nat(), fc.nat(1100), (experiments, anywhere, from) => {
      const place = anywhere % experiments.length
      const other = experiments[place] === FAILED ? PENDING : FAILED
      const before = atOnce(ExperimentSequence.from(experiments))
      expectSame(before.replace(place, other), experiments.with(place, other), from)
      expectSame(before, experiments, from)
    }),
  )
})

test.each(SIZES)('of %i experiments each is at its place, and none beyond the end', (size) => {
  const experiments = Array.from({ length: size }, (_, place) => experiment({ exp_id: String(place) }))
  const sequence = atOnce(ExperimentSequence.from(experiments))
  for (const [place, one] of experiments.entries()) expect(sequence.at(place)).toBe(one)
  for (const place of [size, size + 1, 2 * size, 32 * size]) expect(() => sequence.at(place)).toThrow(RangeError)
})

test('the only match, at the end of 100,000, is found by reading few summaries', () => {
  const experiments = Array.from({ length: 100_000 }, () => PENDING).with(-1, FAILED)
  const sequence = atOnce(ExperimentSequence.from(experiments))
  let looks = 0
  const counting = (summary: Summary) => {
    looks += 1
    return isFailed(summary)
  }
  expect(sequence.next(0, counting)).toBe(99_999)
  expect(looks).toBeLessThan(200)
})

test('an empty sequence has nothing to find', () => {
  expectSame(atOnce(ExperimentSequence.from([])), [], 0)
})
