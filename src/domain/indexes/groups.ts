import type { Experiment } from '../experiment/experiment.ts'
import { isBreak, type LongWork } from '../long-work.ts'

/** Which group each experiment is in. Groups are numbered from 0, in the order of their first members. */
export interface Groups<K> {
  /** By position. A change that moves an experiment to another group makes all anew: see `isGroupedAlike`. */
  readonly numbers: Int32Array
  readonly byKey: ReadonlyMap<K, number>
}

/** One table for all groups: there may be as many as experiments, and a value for each would be most of a campaign's memory. */
export function* groupsOf<K>(
  experiments: readonly Experiment[],
  keyOf: (experiment: Experiment, position: number) => K,
): LongWork<Groups<K>> {
  const numbers = new Int32Array(experiments.length)
  const byKey = new Map<K, number>()
  let position = 0
  for (const experiment of experiments) {
    const key = keyOf(experiment, position)
    let number = byKey.get(key)
    if (number === undefined) byKey.set(key, (number = byKey.size))
    numbers[position] = number
    if (isBreak(position)) yield
    position += 1
  }
  return { numbers, byKey }
}

/** Groups of those that are together in both. */
export function pairsOf<A, B>(
  experiments: readonly Experiment[],
  a: Groups<A>,
  b: Groups<B>,
): LongWork<Groups<number>> {
  return groupsOf(experiments, (_, position) =>
    pairKey(a.numbers[position] ?? 0, b.numbers[position] ?? 0, b.byKey.size),
  )
}

/** The key of a pair of groups: made of numbers, it takes less time and memory than one of texts. */
export function pairKey(a: number, b: number, countOfB: number): number {
  return a * countOfB + b
}

/** Whether an experiment is in the same groups before and after a change: in those of all that the indexes group by. */
export function isGroupedAlike(before: Experiment, after: Experiment): boolean {
  return (
    before.backend === after.backend &&
    before.container === after.container &&
    before.config_name === after.config_name &&
    before.cycle_index === after.cycle_index
  )
}
