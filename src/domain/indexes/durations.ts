import { List } from 'immutable'
import type { Experiment } from '../experiment/experiment.ts'
import { isBreak, type LongWork } from '../long-work.ts'
import { groupsOf, pairsOf } from './groups.ts'

/** Experiments of a kind (a config on a backend), of a backend, or of the campaign. */
interface Group {
  /** Milliseconds that the completed ones took, ascending. */
  readonly taken: readonly number[]
  /** How many are still to run, pending and failed, of which no smaller group says how long they take. */
  readonly remaining: number
}

const NONE: Group = { taken: [], remaining: 0 }

/**
 * How long completed experiments took, updated with each change, so that an estimate reads no experiments and no groups, however
 * many there are. Immutable. In whole milliseconds, whose sums and medians are exact: after a restart they are the same.
 */
export class Durations {
  private constructor(
    /** By position; a change that makes one of another kind makes all anew. */
    private readonly kindNumbers: Int32Array,
    /** By kind. */
    private readonly backendNumbers: Int32Array,
    private readonly kinds: List<Group>,
    private readonly backends: List<Group>,
    private readonly all: Group,
    /** Milliseconds that those still to run take of which a kind or a backend says it. */
    private readonly told: number,
  ) {}

  static *of(experiments: readonly Experiment[]): LongWork<Durations> {
    const backends = yield* groupsOf(experiments, ({ backend }) => backend)
    const configs = yield* groupsOf(experiments, ({ config_name }) => config_name)
    const kinds = yield* pairsOf(experiments, backends, configs)
    const backendNumbers = new Int32Array(kinds.byKey.size)
    const remaining = new Int32Array(kinds.byKey.size)
    const done: Done[] = []
    for (const [position, experiment] of experiments.entries()) {
      const kind = kinds.numbers[position] ?? 0
      backendNumbers[kind] = backends.numbers[position] ?? 0
      add(remaining, kind, Number(isRemaining(experiment)))
      const time = timeTaken(experiment)
      if (time !== null) done.push({ position, time })
      if (isBreak(position)) yield
    }
    const ofKinds = yield* groupsFrom(remaining, done, kinds.numbers)
    const untold = yield* untriedIn(ofKinds, backendNumbers, backends.byKey.size)
    const ofBackends = yield* groupsFrom(untold, done, backends.numbers)
    const all = {
      taken: ascending(done.map(({ time }) => time)),
      remaining: (yield* untriedIn(ofBackends, new Int32Array(ofBackends.length), 1))[0] ?? 0,
    }
    const told = (yield* expectedOf(ofKinds)) + (yield* expectedOf(ofBackends))
    return new Durations(
      kinds.numbers,
      backendNumbers,
      yield* listFrom(ofKinds),
      yield* listFrom(ofBackends),
      all,
      told,
    )
  }

  /** After the experiment at the position turned from `before` into `after`. */
  with(position: number, before: Experiment, after: Experiment): Durations {
    const [gone, come] = [timeTaken(before), timeTaken(after)]
    const remaining = Number(isRemaining(after)) - Number(isRemaining(before))
    if (gone === come && remaining === 0) return this
    const changed = ({ taken, remaining }: Group, by: number): Group => ({
      taken: gone === come ? taken : exchanged(taken, gone, come),
      remaining: remaining + by,
    })
    const kindNumber = this.kindNumbers[position] ?? 0
    const backendNumber = this.backendNumbers[kindNumber] ?? 0
    const oldKind = this.kinds.get(kindNumber) ?? NONE
    const kind = changed(oldKind, remaining)
    const oldBackend = this.backends.get(backendNumber) ?? NONE
    const backend = changed(oldBackend, untried(kind) - untried(oldKind))
    return new Durations(
      this.kindNumbers,
      this.backendNumbers,
      this.kinds.set(kindNumber, kind),
      this.backends.set(backendNumber, backend),
      changed(this.all, untried(backend) - untried(oldBackend)),
      this.told + expected(kind) - expected(oldKind) + expected(backend) - expected(oldBackend),
    )
  }

  /** Milliseconds that the experiment at a position usually takes; null before anything is completed. */
  usual(position: number): number | null {
    const kindNumber = this.kindNumbers[position] ?? 0
    const kind = this.kinds.get(kindNumber) ?? NONE
    const backend = this.backends.get(this.backendNumbers[kindNumber] ?? 0) ?? NONE
    return median(kind.taken) ?? median(backend.taken) ?? median(this.all.taken)
  }

  /** Milliseconds that all that are still to run take, one after the other; null before anything is completed. */
  get remaining(): number | null {
    return this.all.taken.length === 0 ? null : this.told + expected(this.all)
  }
}

/** A completed experiment. */
interface Done {
  readonly position: number
  /** Milliseconds that it took. */
  readonly time: number
}

/** @param numbers of the groups, by position */
function* groupsFrom(remaining: Int32Array, done: readonly Done[], numbers: Int32Array): LongWork<Group[]> {
  const taken = new Map<number, number[]>()
  for (const [index, { position, time }] of done.entries()) {
    push(taken, numbers[position] ?? 0, time)
    if (isBreak(index)) yield
  }
  const groups: Group[] = []
  const untried = new Map<number, Group>()
  for (const [number, left] of remaining.entries()) {
    const times = taken.get(number)
    groups.push(times === undefined ? untriedGroup(untried, left) : { taken: ascending(times), remaining: left })
    if (isBreak(number)) yield
  }
  return groups
}

/** Shared by all with as many: there may be as many groups as experiments. */
function untriedGroup(known: Map<number, Group>, remaining: number): Group {
  let group = known.get(remaining)
  if (group === undefined) known.set(remaining, (group = { taken: NONE.taken, remaining }))
  return group
}

/**
 * How many each greater group has to estimate.
 * @param numbers of the greater groups, by group
 */
function* untriedIn(groups: readonly Group[], numbers: Int32Array, count: number): LongWork<Int32Array> {
  const sums = new Int32Array(count)
  for (const [index, group] of groups.entries()) {
    add(sums, numbers[index] ?? 0, untried(group))
    if (isBreak(index)) yield
  }
  return sums
}

function add(sums: Int32Array, index: number, more: number): void {
  sums[index] = (sums[index] ?? 0) + more
}

function push(lists: Map<number, number[]>, number: number, time: number): void {
  const list = lists.get(number)
  if (list === undefined) lists.set(number, [time])
  else list.push(time)
}

function* expectedOf(groups: readonly Group[]): LongWork<number> {
  let sum = 0
  for (const [number, group] of groups.entries()) {
    sum += expected(group)
    if (isBreak(number)) yield
  }
  return sum
}

function* listFrom(groups: readonly Group[]): LongWork<List<Group>> {
  const list = List<Group>().asMutable()
  for (const [number, group] of groups.entries()) {
    list.push(group)
    if (isBreak(number)) yield
  }
  return list.asImmutable()
}

/**
 * Milliseconds from the start of the current attempt to its end, however it ended. Null when one of them is not known, or when a
 * clock that was set back made them negative.
 */
export function millisecondsTaken({
  started_at,
  completed_at,
}: Pick<Experiment, 'started_at' | 'completed_at'>): number | null {
  if (started_at === null || completed_at === null) return null
  const taken = Date.parse(completed_at) - Date.parse(started_at)
  return taken >= 0 ? taken : null
}

function timeTaken(experiment: Experiment): number | null {
  return experiment.status === 'completed' ? millisecondsTaken(experiment) : null
}

function isRemaining({ status }: Experiment): boolean {
  return status === 'pending' || status === 'failed'
}

function expected({ taken, remaining }: Group): number {
  return remaining * (median(taken) ?? 0)
}

function untried({ taken, remaining }: Group): number {
  return taken.length === 0 ? remaining : 0
}

function median(taken: readonly number[]): number | null {
  const middle = taken.length >> 1
  const upper = taken[middle]
  if (upper === undefined) return null
  return taken.length % 2 === 1 ? upper : (upper + (taken[middle - 1] ?? upper)) / 2
}

/** Sorts in place. By numbers alone, without a call for each comparison: there may be 100,000 of them in one go. */
function ascending(times: number[]): number[] {
  if (times.length < 2) return times
  for (const [index, time] of Float64Array.from(times).sort().entries()) times[index] = time
  return times
}

function exchanged(taken: readonly number[], gone: number | null, come: number | null): readonly number[] {
  const left = gone === null ? taken : taken.toSpliced(indexOf(taken, gone), 1)
  return come === null ? left : left.toSpliced(indexOf(left, come), 0, come)
}

/** The first index whose time is not smaller, by binary search. */
function indexOf(taken: readonly number[], time: number): number {
  let [low, high] = [0, taken.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((taken[middle] ?? Infinity) < time) low = middle + 1
    else high = middle
  }
  return low
}
