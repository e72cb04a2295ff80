import { isBreak, type LongWork } from '../long-work.ts'
import type { Groups } from './groups.ts'

/** Ranks from the first to before the end. */
export interface Ranks {
  readonly first: number
  readonly end: number
}

/** The experiments in an order in which each group is a range of ranks, in manifest order within. Immutable. */
export class RankOrder {
  private constructor(
    /** First rank of each group, and after the last group the end. */
    private readonly firsts: Int32Array,
    /** By position. */
    private readonly ranks: Int32Array,
    /** By rank. */
    private readonly positions: Int32Array,
  ) {}

  static *of(groups: Groups<unknown>): LongWork<RankOrder> {
    const firsts = yield* firstRanks(groups)
    const next = firsts.slice()
    const ranks = new Int32Array(groups.numbers.length)
    const positions = new Int32Array(groups.numbers.length)
    for (let position = 0; position < ranks.length; position += 1) {
      const group = groups.numbers[position] ?? 0
      const rank = next[group] ?? 0
      next[group] = rank + 1
      ranks[position] = rank
      positions[rank] = position
      if (isBreak(position)) yield
    }
    return new RankOrder(firsts, ranks, positions)
  }

  /** How many experiments there are. */
  get length(): number {
    return this.ranks.length
  }

  rankOf(position: number): number {
    return this.ranks[position] ?? -1
  }

  positionAt(rank: number): number {
    return this.positions[rank] ?? -1
  }

  /** By the number of the group. */
  ranksOf(group: number): Ranks {
    return { first: this.firsts[group] ?? 0, end: this.firsts[group + 1] ?? 0 }
  }
}

function* firstRanks({ numbers, byKey }: Groups<unknown>): LongWork<Int32Array> {
  const firsts = new Int32Array(byKey.size + 1)
  for (let position = 0; position < numbers.length; position += 1) {
    const group = numbers[position] ?? 0
    firsts[group + 1] = (firsts[group + 1] ?? 0) + 1
    if (isBreak(position)) yield
  }
  for (let group = 1; group < firsts.length; group += 1) {
    firsts[group] = (firsts[group] ?? 0) + (firsts[group - 1] ?? 0)
    if (isBreak(group)) yield
  }
  return firsts
}
