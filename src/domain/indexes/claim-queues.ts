import { Map } from 'immutable'
import type { Experiment } from '../experiment/experiment.ts'
import { PositionSet } from './position-set.ts'

/** Which experiments a worker can run; what is left out does not matter. */
export type ClaimFilter = Partial<Pick<Experiment, 'backend' | 'container'>>

/** The experiments of one backend and container, by where they stand in the manifest. */
interface Queue {
  readonly backend: string
  readonly container: string
  readonly pending: PositionSet
  /** By retry_count. */
  readonly failed: Map<number, PositionSet>
  /** How many run, by retry_count. */
  readonly running: Map<number, number>
}

/**
 * What can be claimed, kept as it changes, so that a claim looks at no experiment but those that it takes: its cost grows
 * with the pairs of backend and container, not with the experiments. An immutable value, like the campaign.
 *
 * Summaries in the tree of experiments, the other way, cannot tell at which of two mixed backends the retries are used up:
 * a worker of the one looked at every failed experiment of the other.
 */
export class ClaimQueues {
  private constructor(
    private readonly queues: Map<string, Queue>,
    /** The running experiments of each claim that gave an id. */
    private readonly claims: Map<string, PositionSet>,
  ) {}

  static of(experiments: Iterable<Experiment>): ClaimQueues {
    const building = new Building()
    let position = 0
    for (const experiment of experiments) {
      building.add(position, experiment)
      position += 1
    }
    return new ClaimQueues(building.queues(), building.claims())
  }

  /** After the experiment at the position turned from `before` into `after`, or was appended. */
  with(position: number, before: Experiment | null, after: Experiment): ClaimQueues {
    const queues = before !== null && queuedAlike(before, after) ? this.queues : this.requeued(position, before, after)
    const claims = claimOf(before) === claimOf(after) ? this.claims : this.reclaimed(position, before, after)
    return queues === this.queues && claims === this.claims ? this : new ClaimQueues(queues, claims)
  }

  /** Where the experiments stand that may be claimed now: pending first, then failed with retries left, in order. */
  *claimable(filter: ClaimFilter, maxRetries: number): Generator<number, void> {
    const matching = this.matching(filter)
    yield* inOrder(matching.map(({ pending }) => pending))
    yield* inOrder(matching.flatMap(({ failed }) => withRetriesLeft(failed, maxRetries)))
  }

  hasClaimable(filter: ClaimFilter, maxRetries: number): boolean {
    return this.claimable(filter, maxRetries).next().done !== true
  }

  /** True while one runs that may be claimed again if it fails. */
  mayFailAndBeClaimed(filter: ClaimFilter, maxRetries: number): boolean {
    return this.matching(filter).some(({ running }) => withRetriesLeft(running, maxRetries).length > 0)
  }

  /** Where the experiments stand that a claim of that id by that worker holds. */
  claimedAs(worker: string, claimId: string): PositionSet {
    return this.claims.get(claimKey(worker, claimId)) ?? PositionSet.EMPTY
  }

  private matching({ backend, container }: ClaimFilter): Queue[] {
    const found: Queue[] = []
    for (const queue of this.queues.values()) {
      const matches =
        (backend === undefined || queue.backend === backend) &&
        (container === undefined || queue.container === container)
      if (matches) found.push(queue)
    }
    return found
  }

  private requeued(position: number, before: Experiment | null, after: Experiment): Map<string, Queue> {
    return this.queues.update(queueKey(after), emptyQueue(after), (queue) => {
      const left = before === null ? queue : without(queue, position, before)
      return withExperiment(left, position, after)
    })
  }

  private reclaimed(position: number, before: Experiment | null, after: Experiment): Map<string, PositionSet> {
    const [old, current] = [claimOf(before), claimOf(after)]
    let { claims } = this
    if (old !== null) claims = changed(claims, old, (set) => set.without(position))
    if (current !== null) claims = changed(claims, current, (set) => set.with(position))
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

function queuedAlike(a: Experiment, b: Experiment): boolean {
  return a.status === b.status && a.retry_count === b.retry_count
}

function withExperiment(queue: Queue, position: number, { status, retry_count }: Experiment): Queue {
  if (status === 'pending') return { ...queue, pending: queue.pending.with(position) }
  if (status === 'failed') {
    return { ...queue, failed: changed(queue.failed, retry_count, (set) => set.with(position)) }
  }
  if (status === 'running') return { ...queue, running: queue.running.update(retry_count, 0, (count) => count + 1) }
  return queue
}

function without(queue: Queue, position: number, { status, retry_count }: Experiment): Queue {
  if (status === 'pending') return { ...queue, pending: queue.pending.without(position) }
  if (status === 'failed') {
    return { ...queue, failed: changed(queue.failed, retry_count, (set) => set.without(position)) }
  }
  if (status !== 'running') return queue
  const left = (queue.running.get(retry_count) ?? 0) - 1
  return { ...queue, running: left > 0 ? queue.running.set(retry_count, left) : queue.running.delete(retry_count) }
}

/** Empty sets are taken out, so that what is there has members. */
function changed<K>(sets: Map<K, PositionSet>, key: K, change: (set: PositionSet) => PositionSet): Map<K, PositionSet> {
  const set = change(sets.get(key) ?? PositionSet.EMPTY)
  return set.isEmpty ? sets.delete(key) : sets.set(key, set)
}

function emptyQueue({ backend, container }: Experiment): Queue {
  return { backend, container, pending: PositionSet.EMPTY, failed: Map(), running: Map() }
}

function queueKey({ backend, container }: Pick<Experiment, 'backend' | 'container'>): string {
  // The length keeps apart what would run together.
  return `${backend.length} ${backend}${container}`
}

/** Two workers that happen to choose the same id must not be given each other's experiments. */
function claimKey(worker: string, claimId: string): string {
  return `${worker.length} ${worker}${claimId}`
}

/** Null when it is not held by a claim that can be asked for again. */
function claimOf(experiment: Experiment | null): string | null {
  const claimId = experiment?.lease?.claim_id ?? null
  const worker = experiment?.worker ?? null
  return claimId === null || worker === null ? null : claimKey(worker, claimId)
}

/** Collects positions while a whole campaign is read: a new value for each experiment took several times as long. */
class Building {
  private readonly byQueue = new globalThis.Map<string, QueueBuilding>()
  private readonly byClaim = new globalThis.Map<string, number[]>()

  add(position: number, experiment: Experiment): void {
    const key = queueKey(experiment)
    let queue = this.byQueue.get(key)
    if (queue === undefined) this.byQueue.set(key, (queue = new QueueBuilding(experiment)))
    queue.add(position, experiment)
    const claim = claimOf(experiment)
    if (claim !== null) push(this.byClaim, claim, position)
  }

  queues(): Map<string, Queue> {
    return Map([...this.byQueue].map(([key, queue]): [string, Queue] => [key, queue.done()]))
  }

  claims(): Map<string, PositionSet> {
    return setsOf(this.byClaim)
  }
}

class QueueBuilding {
  private readonly pending: number[] = []
  private readonly failed = new globalThis.Map<number, number[]>()
  private readonly running = new globalThis.Map<number, number>()

  constructor(private readonly first: Experiment) {}

  add(position: number, { status, retry_count }: Experiment): void {
    if (status === 'pending') this.pending.push(position)
    else if (status === 'failed') push(this.failed, retry_count, position)
    else if (status === 'running') this.running.set(retry_count, (this.running.get(retry_count) ?? 0) + 1)
  }

  done(): Queue {
    const { backend, container } = this.first
    return {
      backend,
      container,
      pending: PositionSet.of(this.pending),
      failed: setsOf(this.failed),
      running: Map(this.running),
    }
  }
}

function push<K>(lists: globalThis.Map<K, number[]>, key: K, position: number): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [position])
  else list.push(position)
}

function setsOf<K>(lists: globalThis.Map<K, number[]>): Map<K, PositionSet> {
  return Map([...lists].map(([key, positions]): [K, PositionSet] => [key, PositionSet.of(positions)]))
}
