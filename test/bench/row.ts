import { median } from '../support/quantiles.js'
import type { LoadResult } from './load/load.js'

/** As few as one, only to see a row run. */
export const ROUNDS = Number(process.env['CAMPAIGND_BENCH_ROUNDS'] ?? 5)
export const SECONDS = 3

/** Of all replies: with fewer good ones a row is no measurement. */
const GOOD_SHARE = 0.999

/** One line of the table: what is measured, and its goal. */
export interface Row {
  readonly name: string
  readonly title: string
  /** Null: the row shows a limit. */
  readonly goal: Goal | null
  /** What is not installed and the row needs. */
  readonly lacks?: string
  /** @param directory an empty one */
  readonly measure: (directory: string) => Promise<Finding>
}

export type Goal = { readonly atLeast: number } | { readonly atMost: number } | { readonly below: number }

export interface Finding {
  /** Of each round, as the goal has them. */
  readonly figures: readonly number[]
  readonly unit: string
  /** The absolute figures. */
  readonly ours: string
  readonly baseline: string
}

type Rounds = readonly (readonly [ours: LoadResult, baseline: LoadResult])[]

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

/** A row that compares two loads, from the rounds of both sides. */
export function ratioOf(rounds: Rounds, { of, words }: Measure = RATE): Finding {
  for (const result of rounds.flat()) checkGood(result)
  const figures = rounds.map(([ours, baseline]) => of(ours) / of(baseline))
  const middle = (side: 0 | 1) => words(median(rounds.map((round) => of(round[side]))))
  return { figures, unit: '', ours: middle(0), baseline: middle(1) }
}

/** @throws Error when too many replies were not those that the load asked for */
export function checkGood({ good, bad }: LoadResult): void {
  if (!(good / (good + bad) > GOOD_SHARE)) throw new Error(`${bad} of ${good + bad} replies were not good`)
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

export function isMet(goal: Goal, figure: number): boolean {
  if ('atLeast' in goal) return figure >= goal.atLeast
  return 'atMost' in goal ? figure <= goal.atMost : figure < goal.below
}
