import { expect, test } from 'vitest'
import type { Lane } from '../../src/dashboard/model/lanes.ts'
import { scaleOf } from '../../src/dashboard/model/time-scale.ts'

const HOUR = 3_600_000

function lane(...times: readonly (readonly [number, number | null])[]): Lane {
  const bars = times.map(([start, end]) => ({ expId: 'a', attempt: 1, mark: 'completed' as const, start, end }))
  return { name: 'lane', tracks: [bars] }
}

/** An hour of work, ten of cooling, and an hour of work. */
const cooling = [lane([0, HOUR]), lane([11 * HOUR, 12 * HOUR])]

test('without cuts a pixel is the same time everywhere', () => {
  const scale = scaleOf(cooling, 20 * HOUR, 1200, false)
  expect([0, HOUR, 6 * HOUR, 12 * HOUR].map((time) => Math.round(scale.x(time)))).toEqual([0, 100, 600, 1200])
  expect(scale.gaps).toEqual([])
})

test('an idle gap is cut to a fixed width, and all that is busy shares the rest', () => {
  const scale = scaleOf(cooling, 20 * HOUR, 1228, true)
  expect(scale.gaps).toEqual([{ from: HOUR, to: 11 * HOUR, x: 600, width: 28 }])
  const at = [0, HOUR / 2, HOUR, 6 * HOUR, 11 * HOUR, 12 * HOUR].map((time) => Math.round(scale.x(time)))
  expect(at).toEqual([0, 300, 600, 614, 628, 1228])
})

test('what overlaps in another lane is no gap, and what runs is busy until now', () => {
  expect(scaleOf([...cooling, lane([0, 12 * HOUR])], 20 * HOUR, 1200, true).gaps).toEqual([])
  const running = scaleOf([lane([0, null])], 2 * HOUR, 100, true)
  expect([running.from, running.to]).toEqual([0, 2 * HOUR])
})

test('ticks are apart, and none is in a gap', () => {
  const scale = scaleOf(cooling, 20 * HOUR, 1228, true)
  const ticks = scale.ticks(90)
  expect(ticks.length).toBeGreaterThan(6)
  expect(ticks.filter((tick) => tick > HOUR && tick < 11 * HOUR)).toEqual([])
  const places = ticks.map((tick) => scale.x(tick))
  const steps = places.slice(1).map((place, index) => place - (places[index] ?? 0))
  expect(Math.min(...steps)).toBeGreaterThanOrEqual(28)
})
