import { median } from '../support/quantiles.js'
import type { LoadResult } from './load.js'

export const ROUNDS = 5
export const SECONDS = 3
export const CONNECTIONS = 64

/** Of the answers that must be 2xx: a row that was not answered well is no measurement. */
const GOOD_SHARE = 0.999

/** One line of the table: something that is measured, and what it should come to. */
export interface Row {
  /** What it is asked for by. */
  readonly name: string
  readonly title: string
  readonly goal: Goal
  /** @param directory an empty one */
  readonly measure: (directory: string) => Promise<Finding>
}

export type Goal = { readonly atLeast: number } | { readonly below: number }

export interface Finding {
  /** What the goal is about, of each round. */
  readonly figures: readonly number[]
  readonly unit: string
  /** The absolute figures. */
  readonly ours: string
  readonly baseline: string
}

/** A row that compares rates, from the rounds of both sides. */
export function ratioOf(rounds: readonly (readonly [ours: LoadResult, baseline: LoadResult])[]): Finding {
  for (const { good, bad } of rounds.flat()) {
    if (!(good / (good + bad) > GOOD_SHARE)) throw new Error(`${bad} of ${good + bad} answers were not 2xx`)
  }
  const rate = (side: 0 | 1) => `${median(rounds.map((round) => round[side].rate)).toFixed(0)} a second`
  const figures = rounds.map(([ours, baseline]) => ours.rate / baseline.rate)
  return { figures, unit: '', ours: rate(0), baseline: rate(1) }
}

/** Both sides in turn, whoever was first being second the next time. */
export async function inTurn(
  ours: (round: number) => Promise<LoadResult>,
  baseline: (round: number) => Promise<LoadResult>,
): Promise<[LoadResult, LoadResult][]> {
  const rounds: [LoadResult, LoadResult][] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round % 2 === 0) rounds.push([await ours(round), await baseline(round)])
    else rounds.push([await baseline(round), await ours(round)].reverse() as [LoadResult, LoadResult])
  }
  return rounds
}

export function isMet(goal: Goal, figure: number): boolean {
  return 'atLeast' in goal ? figure >= goal.atLeast : figure < goal.below
}
