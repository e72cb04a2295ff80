import type { Map } from 'immutable'
import type { Budgets } from '../experiment/budgets.ts'
import type { Experiment } from '../experiment/experiment.ts'
import { isBreak, type LongWork } from '../long-work.ts'
import { type ClaimFilter, type ClaimFilters, claimFiltersOf, type FilterNames } from './claim-filters.ts'
import { ClaimOrder } from './claim-order.ts'
import { failedWithin, isPending, isQueuedAlike, isRunning, type IsWanted, runningWithin } from './claimable.ts'
import { mapOf } from './map-of.ts'

/** Positions in the manifest, ascending. */
type Positions = readonly number[]

/**
 * What can be claimed, updated with each change, so that a claim reads only the experiments that it gets, however many there are,
 * and however many backends and containers. Immutable.
 *
 * Summaries in the tree of experiments cannot do this: of two backends whose experiments alternate they do not say which
 * has budget left, so a worker of one had to read every failed experiment of the other.
 */
export class ClaimQueues {
  private constructor(
    private readonly filters: ClaimFilters,
    /** In the orders of the filters. */
    private readonly orders: readonly ClaimOrder[],
    /** The running experiments of each claim that gave an id. */
    private readonly claims: Map<string, Positions>,
  ) {}

  static *of(experiments: readonly Experiment[]): LongWork<ClaimQueues> {
    const filters = yield* claimFiltersOf(experiments)
    const orders: ClaimOrder[] = []
    for (const order of filters.orders) orders.push(yield* ClaimOrder.of(order, experiments))
    return new ClaimQueues(filters, orders, yield* claimsIn(experiments))
  }

  /** After the experiment at the position turned from `before` into `after`. */
  with(position: number, before: Experiment, after: Experiment): ClaimQueues {
    const orders = isQueuedAlike(before, after) ? this.orders : this.orders.map((order) => order.with(position, after))
    const claims = this.reclaimed(position, claimOf(before), claimOf(after))
    return orders === this.orders && claims === this.claims ? this : new ClaimQueues(this.filters, orders, claims)
  }

  /** The backends and the containers that there are. */
  get names(): FilterNames {
    return this.filters.names
  }

  /** Positions of the experiments that may be claimed now: pending first, then failed within their budgets, in order. */
  *claimable(filter: ClaimFilter, budgets: Budgets): Generator<number, void> {
    yield* this.positions(filter, isPending)
    yield* this.positions(filter, failedWithin(budgets))
  }

  hasClaimable(filter: ClaimFilter, budgets: Budgets): boolean {
    return this.has(filter, isPending) || this.has(filter, failedWithin(budgets))
  }

  /** True while one is running that may be claimed again if it fails. */
  mayFailAndBeClaimed(filter: ClaimFilter, budgets: Budgets): boolean {
    return this.has(filter, runningWithin(budgets))
  }

  hasRunning(filter: ClaimFilter): boolean {
    return this.has(filter, isRunning)
  }

  /** Positions of the experiments that a claim of that id holds. */
  claimedAs(claimId: string): Positions {
    return this.claims.get(claimId) ?? []
  }

  private has(filter: ClaimFilter, isWanted: IsWanted): boolean {
    return this.filters.rangesOf(filter).some((range) => this.orders[range.order]?.has(range, isWanted))
  }

  private positions(filter: ClaimFilter, isWanted: IsWanted): Generator<number, void> {
    const ranges = this.filters.rangesOf(filter)
    return inOrder(ranges.flatMap((range) => this.orders[range.order]?.positions(range, isWanted) ?? []))
  }

  private reclaimed(position: number, old: string | null, current: string | null): Map<string, Positions> {
    let { claims } = this
    if (old === current) return claims
    if (old !== null) claims = without(claims, old, position)
    return current === null ? claims : claims.set(current, inserted(claims.get(current) ?? [], position))
  }
}

/** What all give that are ascending, ascending. */
function* inOrder(all: readonly Iterator<number, void>[]): Generator<number, void> {
  const heads = all.map((positions) => ({ positions, next: positions.next() }))
  for (;;) {
    let first: (typeof heads)[number] | undefined
    let least = Infinity
    for (const head of heads) {
      if (head.next.done === true || head.next.value >= least) continue
      first = head
      least = head.next.value
    }
    if (first === undefined) return
    yield least
    first.next = first.positions.next()
  }
}

function* claimsIn(experiments: readonly Experiment[]): LongWork<Map<string, Positions>> {
  const claims = new globalThis.Map<string, number[]>()
  for (const [position, experiment] of experiments.entries()) {
    const claim = claimOf(experiment)
    if (claim !== null) push(claims, claim, position)
    if (isBreak(position)) yield
  }
  return yield* mapOf<string, number[], Positions>(claims, (positions) => positions)
}

function push(claims: globalThis.Map<string, number[]>, claim: string, position: number): void {
  const positions = claims.get(claim)
  if (positions === undefined) claims.set(claim, [position])
  else positions.push(position)
}

function inserted(positions: Positions, position: number): Positions {
  return positions.toSpliced(positions.findLastIndex((one) => one < position) + 1, 0, position)
}

/** A claim that holds nothing any more is removed. */
function without(claims: Map<string, Positions>, claim: string, position: number): Map<string, Positions> {
  const left = (claims.get(claim) ?? []).filter((one) => one !== position)
  return left.length === 0 ? claims.delete(claim) : claims.set(claim, left)
}

/** Null when no claim that can be repeated holds it. */
function claimOf({ lease }: Experiment): string | null {
  return lease?.claim_id ?? null
}
