import type { Bar, Lane } from './lanes.ts'

/** Times along a line, with idle gaps cut down to a fixed width. */
export interface TimeScale {
  readonly width: number
  readonly gaps: readonly Gap[]
  readonly from: number
  readonly to: number
  /** Where a time lies, in pixels from the left. */
  x(time: number): number
  /** Times for ticks, at least so many pixels apart. */
  ticks(apart: number): readonly number[]
}

export interface Gap {
  readonly from: number
  readonly to: number
  /** Pixels from the left. */
  readonly x: number
  readonly width: number
}

/** Pixels that a gap is cut down to. */
const GAP_WIDTH = 28

/** A gap is worth cutting when it is a minute and a fiftieth of all. */
const LEAST_GAP = 60_000
const LEAST_PART = 0.02

const SECOND = 1000
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400].map(
  (step) => step * SECOND,
)

/** @param width pixels for all of it */
export function scaleOf(lanes: readonly Lane[], now: number, width: number, collapse: boolean): TimeScale {
  const busy = busyTimes(lanes, now)
  const from = busy[0]?.[0] ?? now
  const to = Math.max(from + SECOND, busy.at(-1)?.[1] ?? now)
  const least = Math.max(LEAST_GAP, (to - from) * LEAST_PART)
  const cuts = collapse ? gapsBetween(busy).filter(([start, end]) => end - start >= least) : []
  const cutTime = cuts.reduce((sum, [start, end]) => sum + end - start, 0)
  const pixels = Math.max(50, width - cuts.length * GAP_WIDTH)
  const perMs = pixels / Math.max(SECOND, to - from - cutTime)
  let shift = 0
  const gaps = cuts.map(([start, end]): Gap => {
    const x = (start - from - shift) * perMs
    const gap = { from: start, to: end, x, width: GAP_WIDTH }
    shift += end - start - GAP_WIDTH / perMs
    return gap
  })
  const scale = (time: number) => {
    let passed = 0
    for (const gap of gaps) {
      if (time < gap.from) break
      if (time < gap.to) return gap.x + ((time - gap.from) / (gap.to - gap.from)) * GAP_WIDTH
      passed += gap.to - gap.from - GAP_WIDTH / perMs
    }
    return (time - from - passed) * perMs
  }
  return { width, gaps, from, to, x: scale, ticks: (apart) => ticksOf({ from, to, gaps, perMs }, apart) }
}

function ticksOf(
  { from, to, gaps, perMs }: { from: number; to: number; gaps: readonly Gap[]; perMs: number },
  apart: number,
): number[] {
  const day = STEPS.at(-1) ?? SECOND
  const step = STEPS.find((one) => one * perMs >= apart) ?? day * Math.ceil(apart / perMs / day)
  const offset = new Date(from).getTimezoneOffset() * 60_000
  const ticks: number[] = []
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to;) {
    const gap = gaps.find((one) => at > one.from && at < one.to)
    if (gap === undefined) {
      ticks.push(at)
      at += step
    } else {
      at = Math.ceil((gap.to - offset) / step) * step + offset
    }
  }
  return ticks
}

/** The times in which anything ran, joined where they touch. */
function busyTimes(lanes: readonly Lane[], now: number): [number, number][] {
  const bars = lanes.flatMap(({ tracks }) => tracks.flat()).sort((a, b) => a.start - b.start)
  const busy: [number, number][] = []
  for (const bar of bars) {
    const end = endOf(bar, now)
    const last = busy.at(-1)
    if (last !== undefined && bar.start <= last[1]) last[1] = Math.max(last[1], end)
    else busy.push([bar.start, end])
  }
  return busy
}

function gapsBetween(busy: readonly (readonly [number, number])[]): [number, number][] {
  return busy.slice(1).map(([start], index) => [busy[index]?.[1] ?? start, start])
}

export function endOf(bar: Bar, now: number): number {
  return bar.end ?? Math.max(now, bar.start)
}
