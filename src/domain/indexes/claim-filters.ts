import type { Experiment } from '../experiment/experiment.ts'
import type { LongWork } from '../long-work.ts'
import { groupsOf, pairKey, pairsOf } from './groups.ts'
import { RankOrder, type Ranks } from './rank-order.ts'

/** Which experiments a worker can run; a field that is left out matches all. */
export type ClaimFilter = Partial<Pick<Experiment, 'backend' | 'container'>>

type Pair = Required<ClaimFilter>

type Numbers<K> = ReadonlyMap<K, number>

/** By their numbers as groups. */
export type FilterNames = Readonly<Record<keyof ClaimFilter, Numbers<string>>>

/** A group in one of the orders of the filters. */
export interface RankRange extends Ranks {
  readonly order: number
}

/** Pairs of backend and container up to which a claim looks through all that its filter matches. */
const FEW_PAIRS = 32

/**
 * Where the experiments are that a filter matches. Those of one pair of backend and container are a range. Where there are many pairs,
 * so are those of one backend, of one container, and all, in orders of their own: a claim that looked through many ranges for
 * each experiment took seconds. A change that makes another pair makes all anew.
 */
export interface ClaimFilters {
  readonly orders: readonly RankOrder[]
  /** The backends and the containers that there are, in the order of their first experiments. */
  readonly names: FilterNames
  /** Ranges which together have all that the filter matches. */
  rangesOf(filter: ClaimFilter): readonly RankRange[]
}

export function* claimFiltersOf(experiments: readonly Experiment[]): LongWork<ClaimFilters> {
  const backends = yield* groupsOf(experiments, ({ backend }) => backend)
  const containers = yield* groupsOf(experiments, ({ container }) => container)
  const pairs = yield* pairsOf(experiments, backends, containers)
  const order = yield* RankOrder.of(pairs)
  const names = { backend: backends.byKey, container: containers.byKey }
  if (pairs.byKey.size <= FEW_PAIRS) return new FiltersOfFew(names, order, pairs.byKey.size, experiments)
  const all = yield* groupsOf(experiments, () => null)
  return new FiltersOfMany(names, pairs.byKey, [
    order,
    yield* RankOrder.of(backends),
    yield* RankOrder.of(containers),
    yield* RankOrder.of(all),
  ])
}

class FiltersOfFew implements ClaimFilters {
  readonly orders: readonly RankOrder[]
  private readonly pairs: readonly (Pair & RankRange)[]

  constructor(
    readonly names: FilterNames,
    order: RankOrder,
    count: number,
    experiments: readonly Experiment[],
  ) {
    this.orders = [order]
    this.pairs = Array.from({ length: count }, (_, number) => {
      const ranks = order.ranksOf(number)
      const { backend, container } = experiments[order.positionAt(ranks.first)] as Experiment
      return { backend, container, order: 0, ...ranks }
    })
  }

  rangesOf({ backend, container }: ClaimFilter): readonly RankRange[] {
    return this.pairs.filter(
      (pair) =>
        (backend === undefined || backend === pair.backend) &&
        (container === undefined || container === pair.container),
    )
  }
}

/** Their orders: by pair, by backend, by container, and of all. */
class FiltersOfMany implements ClaimFilters {
  constructor(
    readonly names: FilterNames,
    private readonly pairs: Numbers<number>,
    readonly orders: readonly RankOrder[],
  ) {}

  rangesOf(filter: ClaimFilter): readonly RankRange[] {
    const [order, group] = this.groupOf(filter)
    const ranks = group === undefined ? undefined : this.orders[order]?.ranksOf(group)
    return ranks === undefined ? [] : [{ order, ...ranks }]
  }

  private groupOf({ backend, container }: ClaimFilter): readonly [order: number, group: number | undefined] {
    const { names } = this
    if (backend === undefined) return container === undefined ? [3, 0] : [2, names.container.get(container)]
    if (container === undefined) return [1, names.backend.get(backend)]
    return [0, this.pairOf(names.backend.get(backend), names.container.get(container))]
  }

  private pairOf(backend: number | undefined, container: number | undefined): number | undefined {
    if (backend === undefined || container === undefined) return undefined
    return this.pairs.get(pairKey(backend, container, this.names.container.size))
  }
}
