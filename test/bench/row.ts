import { median } from '../support/quantiles.js'
import type { LoadResult } from './load/load.js'
import type { Line } from './table.js'

/** As few as one, only to see a row run. */
export const ROUNDS = Number(process.env['CAMPAIGND_BENCH_ROUNDS'] ?? 5)
export const SECONDS = 3

/** A measurement against a baseline or a goal. */
export interface Row {
  /** Without a goal the line shows a limit. */
  readonly lines: readonly (Line & { readonly goal: Goal | null })[]
  /** What is not installed and the row needs. */
  readonly lacks?: string
  /**
   * @param directory an empty one
   * @returns a finding for each line
   */
  readonly measure: (directory: string) => Promise<readonly Finding[]>
}

export interface Goal {
  readonly words: string
  isMet(figure: number): boolean
}

export const atLeast = (least: number): Goal => ({ words: `at least ${least}`, isMet: (figure) => figure >= least })
export const atMost = (most: number): Goal => ({ words: `at most ${most}`, isMet: (figure) => figure <= most })
export const below = (limit: number): Goal => ({ words: `below ${limit}`, isMet: (figure) => figure < limit })

export interface Finding {
  /** Of each round, as the goal has them. */
  readonly figures: readonly number[]
  readonly unit?: string
  /** The absolute figures. */
  readonly ours?: string
  readonly baseline?: string
}

/** What two loads are compared by. */
export interface Measure {
  of(result: LoadResult): number
  words(figure: number): string
}

export const RATE: Measure = { of: ({ rate }) => rate, words: (figure) => `${figure.toFixed(0)} a second` }
export const BYTES: Measure = {
  of: ({ bytes }) => bytes,
  words: (figure) => `${(figure / 1e6).toFixed(0)} MB a second`,
}
export const P99: Measure = { of: ({ p99 }) => p99, words: (figure) => `${figure.toFixed(1)} ms` }

type Side = (round: number) => Promise<LoadResult>

/** The finding of a row that compares two loads. */
export async function ratioOf(ours: Side, baseline: Side, { of, words }: Measure = RATE): Promise<Finding> {
  const rounds = await inTurn(ours, baseline)
  const middle = (side: 0 | 1) => words(median(rounds.map((round) => of(round[side]))))
  return { figures: rounds.map((round) => of(round[0]) / of(round[1])), ours: middle(0), baseline: middle(1) }
}

/** Both sides by turns: the one that was first is second the next time. */
export async function inTurn<T extends object>(
  ours: (round: number) => Promise<T>,
  baseline: (round: number) => Promise<T>,
  count = ROUNDS,
): Promise<[ours: T, baseline: T][]> {
  const rounds: [T, T][] = []
  for (let round = 0; round < count; round += 1) {
    const first = round % 2 === 0 ? null : await baseline(round)
    rounds.push([await ours(round), first ?? (await baseline(round))])
  }
  return rounds
}
