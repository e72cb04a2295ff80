import type { Experiment } from '../experiment/experiment.ts'
import { isBreak, type LongWork } from '../long-work.ts'

/** Which experiments a worker can run; a field that is left out matches all. */
export type ClaimFilter = Partial<Pick<Experiment, 'backend' | 'container'>>

type Pair = Required<ClaimFilter>

/** Pairs of backend and container up to which a claim looks through all that its filter matches. */
const FEW_PAIRS = 32

/**
 * The filters of a campaign that leave something out, and the pairs of backend and container that each matches. One that matches
 * many is wide: it has a queue of its own. No change of an experiment makes another pair.
 */
export class ClaimFilters {
  private constructor(
    private readonly pairs: ReadonlyMap<string, readonly string[]>,
    private readonly wide: ReadonlySet<string>,
  ) {}

  static *of(pairs: Iterable<Pair>): LongWork<ClaimFilters> {
    const byFilter = new Map<string, string[]>()
    let count = 0
    for (const pair of pairs) {
      for (const filter of filterKeys(pair)) {
        const known = byFilter.get(filter)
        if (known === undefined) byFilter.set(filter, [pairKey(pair)])
        else known.push(pairKey(pair))
      }
      count += 1
      if (isBreak(count)) yield
    }
    const wide = new Set<string>()
    for (const [filter, { length }] of byFilter) if (length > FEW_PAIRS) wide.add(filter)
    return new ClaimFilters(byFilter, wide)
  }

  get hasWide(): boolean {
    return this.wide.size > 0
  }

  /** Keys of the queues which have all that a filter matches. */
  keysFor(filter: ClaimFilter): readonly string[] {
    if (isPair(filter)) return [pairKey(filter)]
    const key = filterKey(filter)
    return this.wide.has(key) ? [key] : (this.pairs.get(key) ?? [])
  }

  /** Keys of the wide filters that match a pair. */
  wideKeysOf(pair: Pair): readonly string[] {
    return this.hasWide ? filterKeys(pair).filter((key) => this.wide.has(key)) : []
  }
}

/** The length separates two texts that could run together: no other pair gives the same key. */
export function pairKey({ backend, container }: Pair): string {
  return `${backend.length} ${backend}${container}`
}

function filterKeys({ backend, container }: Pair): string[] {
  return [filterKey({}), filterKey({ backend }), filterKey({ container })]
}

/** The key of a pair begins with a digit. */
function filterKey({ backend, container }: ClaimFilter): string {
  if (backend !== undefined) return `backend ${backend}`
  return container === undefined ? 'all' : `container ${container}`
}

function isPair(filter: ClaimFilter): filter is Pair {
  return filter.backend !== undefined && filter.container !== undefined
}
