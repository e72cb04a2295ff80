import { Map } from 'immutable'
import type { Experiment } from '../experiment/experiment.ts'
import { isBreak, type LongWork } from '../long-work.ts'
import { type ClaimFilter, ClaimFilters, pairKey } from './claim-filters.ts'
import { mapOf } from './map-of.ts'
import { PositionSet } from './position-set.ts'

/** The experiments of one backend and container, or of one filter, by their positions in the manifest. */
interface Queue {
  readonly pending: PositionSet
  /** By retry_count. */
  readonly failed: Map<number, PositionSet>
  /** How many are running, by retry_count. */
  readonly running: Map<number, number>
}

/**
 * What can be claimed, updated with each change, so that a claim reads only the experiments that it gets, however many there are.
 * A filter that matches many pairs of backend and container has a queue of its own: to look through them for each experiment would
 * take seconds. Immutable.
 *
 * Summaries in the tree of experiments cannot do this: of two backends whose experiments alternate they do not say which
 * has retries left, so a worker of one had to read every failed experiment of the other.
 */
export class ClaimQueues {
  private constructor(
    private readonly queues: Map<string, Queue>,
    private readonly filters: ClaimFilters,
    /** The running experiments of each claim that gave an id. */
    private readonly claims: Map<string, PositionSet>,
  ) {}

  /** Collects lists first: to make a new value for each experiment takes several times as long. */
  static *of(experiments: readonly Experiment[]): LongWork<ClaimQueues> {
    const queues = new globalThis.Map<string, Lists>()
    const claims = new globalThis.Map<string, number[]>()
    for (const [position, experiment] of experiments.entries()) {
      collect(queues, pairKey(experiment), position, experiment)
      const claim = claimOf(experiment)
      if (claim !== null) push(claims, claim, position)
      if (isBreak(position)) yield
    }
    const filters = yield* ClaimFilters.of([...queues.values()].map(({ first }) => first))
    if (filters.hasWide) yield* collectWide(queues, filters, experiments)
    return new ClaimQueues(
      yield* mapOf(queues, queueOf),
      filters,
      yield* mapOf(claims, (positions) => PositionSet.of(positions)),
    )
  }

  /** After the experiment at the position turned from `before` into `after`. */
  with(position: number, before: Experiment, after: Experiment): ClaimQueues {
    const queuedAlike = before.status === after.status && before.retry_count === after.retry_count
    const queues = queuedAlike ? this.queues : this.requeued(position, before, after)
    const claims = this.reclaimed(position, claimOf(before), claimOf(after))
    return queues === this.queues && claims === this.claims ? this : new ClaimQueues(queues, this.filters, claims)
  }

  /** Positions of the experiments that may be claimed now: pending first, then failed with retries left, in order. */
  *claimable(filter: ClaimFilter, maxRetries: number): Generator<number, void> {
    const matching = this.matching(filter)
    yield* inOrder(matching.map(({ pending }) => pending))
    yield* inOrder(matching.flatMap(({ failed }) => withRetriesLeft(failed, maxRetries)))
  }

  hasClaimable(filter: ClaimFilter, maxRetries: number): boolean {
    return this.claimable(filter, maxRetries).next().done !== true
  }

  /** True while one is running that may be claimed again if it fails. */
  mayFailAndBeClaimed(filter: ClaimFilter, maxRetries: number): boolean {
    return this.matching(filter).some(({ running }) => withRetriesLeft(running, maxRetries).length > 0)
  }

  /** Positions of the experiments that the worker's claim of that id holds. */
  claimedAs(worker: string, claimId: string): PositionSet {
    return this.claims.get(claimKey(worker, claimId)) ?? PositionSet.EMPTY
  }

  private matching(filter: ClaimFilter): Queue[] {
    return this.filters.keysFor(filter).flatMap((key) => this.queues.get(key) ?? [])
  }

  private requeued(position: number, before: Experiment, after: Experiment): Map<string, Queue> {
    let { queues } = this
    for (const key of [pairKey(after), ...this.filters.wideKeysOf(after)]) {
      queues = queues.update(key, EMPTY, (queue) =>
        changedQueue(changedQueue(queue, position, before, false), position, after, true),
      )
    }
    return queues
  }

  private reclaimed(position: number, old: string | null, current: string | null): Map<string, PositionSet> {
    let { claims } = this
    if (old === current) return claims
    if (old !== null) claims = changedSet(claims, old, position, false)
    if (current !== null) claims = changedSet(claims, current, position, true)
    return claims
  }
}

/** The members of all sets, ascending. */
function* inOrder(sets: readonly PositionSet[]): Generator<number, void> {
  for (let from = 0; ;) {
    let first = -1
    for (const set of sets) {
      const next = set.next(from)
      if (next !== -1 && (first === -1 || next < first)) first = next
    }
    if (first === -1) return
    yield first
    from = first + 1
  }
}

function withRetriesLeft<T>(byRetryCount: Map<number, T>, maxRetries: number): T[] {
  const found: T[] = []
  for (const [retries, value] of byRetryCount) if (retries < maxRetries) found.push(value)
  return found
}

/** The queue with the experiment at the position added or removed. */
function changedQueue(queue: Queue, position: number, { status, retry_count }: Experiment, added: boolean): Queue {
  if (status === 'pending') return { ...queue, pending: changed(queue.pending, position, added) }
  if (status === 'failed') return { ...queue, failed: changedSet(queue.failed, retry_count, position, added) }
  if (status !== 'running') return queue
  const count = (queue.running.get(retry_count) ?? 0) + (added ? 1 : -1)
  return { ...queue, running: count > 0 ? queue.running.set(retry_count, count) : queue.running.delete(retry_count) }
}

function changed(set: PositionSet, position: number, added: boolean): PositionSet {
  return added ? set.with(position) : set.without(position)
}

/** Empty sets are removed, so that each set has members. */
function changedSet<K>(sets: Map<K, PositionSet>, key: K, position: number, added: boolean): Map<K, PositionSet> {
  const set = changed(sets.get(key) ?? PositionSet.EMPTY, position, added)
  return set.isEmpty ? sets.delete(key) : sets.set(key, set)
}

const EMPTY: Queue = { pending: PositionSet.EMPTY, failed: Map(), running: Map() }

/** Of the same queue, while a whole campaign is read. */
class Lists {
  readonly pending: number[] = []
  readonly failed = new globalThis.Map<number, number[]>()
  readonly running = new globalThis.Map<number, number[]>()

  constructor(readonly first: Experiment) {}
}

function collect(queues: globalThis.Map<string, Lists>, key: string, position: number, experiment: Experiment): void {
  const { status, retry_count } = experiment
  let lists = queues.get(key)
  if (lists === undefined) queues.set(key, (lists = new Lists(experiment)))
  if (status === 'pending') lists.pending.push(position)
  else if (status === 'failed' || status === 'running') push(lists[status], retry_count, position)
}

function* collectWide(
  queues: globalThis.Map<string, Lists>,
  filters: ClaimFilters,
  experiments: readonly Experiment[],
): LongWork<void> {
  for (const [position, experiment] of experiments.entries()) {
    for (const key of filters.wideKeysOf(experiment)) collect(queues, key, position, experiment)
    if (isBreak(position)) yield
  }
}

function queueOf({ pending, failed, running }: Lists): Queue {
  const counts = Map(running).map(({ length }) => length)
  return { pending: PositionSet.of(pending), failed: setsOf(failed), running: counts }
}

function push<K>(lists: globalThis.Map<K, number[]>, key: K, position: number): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [position])
  else list.push(position)
}

function setsOf<K>(lists: globalThis.Map<K, number[]>): Map<K, PositionSet> {
  return Map(lists).map((positions) => PositionSet.of(positions))
}

/** Two workers that happen to choose the same id must not get each other's experiments. */
function claimKey(worker: string, claimId: string): string {
  return `${worker.length} ${worker}${claimId}`
}

/** Null when no claim that can be repeated holds it. */
function claimOf({ lease, worker }: Experiment): string | null {
  const claimId = lease?.claim_id ?? null
  return claimId === null || worker === null ? null : claimKey(worker, claimId)
}
