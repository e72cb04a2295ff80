import { Map } from 'immutable'
import type { Experiment } from '../experiment/experiment.ts'
import { isBreak, type LongWork } from '../long-work.ts'
import { mapOf } from './map-of.ts'

/** How long the completed experiments of one config on one backend took, and how many are still to run. */
interface Kind {
  /** Milliseconds, ascending. */
  readonly taken: readonly number[]
  /** Pending and failed. */
  readonly remaining: number
}

interface Backend {
  /** By config_name. */
  readonly kinds: Map<string, Kind>
  /** Milliseconds, ascending, of all kinds. */
  readonly taken: readonly number[]
  /** Still to run, of kinds of which none is completed: the estimate is that of the backend. */
  readonly untried: number
}

interface KindCount {
  readonly taken: number[]
  remaining: number
}

type KindCounts = globalThis.Map<string, KindCount>

const NO_KIND: Kind = { taken: [], remaining: 0 }
const NO_BACKEND: Backend = { kinds: Map(), taken: [], untried: 0 }

/**
 * How long completed experiments took, updated with each change, so that an estimate reads no experiments. Immutable. In
 * whole milliseconds, whose sums and medians are exact: after a restart they are the same.
 */
export class Durations {
  private constructor(
    private readonly backends: Map<string, Backend>,
    private readonly taken: readonly number[],
    /** Milliseconds that the experiments take which are still to run, of kinds of which one is completed. */
    private readonly tried: number,
  ) {}

  static *of(experiments: readonly Experiment[]): LongWork<Durations> {
    const counts = new globalThis.Map<string, KindCounts>()
    for (const [position, experiment] of experiments.entries()) {
      count(counts, experiment)
      if (isBreak(position)) yield
    }
    const backends = new globalThis.Map<string, Backend>()
    let tried = 0
    for (const [name, kinds] of counts) {
      backends.set(name, yield* backendOf(kinds))
      tried += yield* expectedOf(kinds)
    }
    return new Durations(yield* mapOf(backends, (backend) => backend), yield* merged([...backends.values()]), tried)
  }

  /** After one experiment turned from `before` into `after`. */
  with(before: Experiment, after: Experiment): Durations {
    const [gone, come] = [timeTaken(before), timeTaken(after)]
    const remaining = Number(isRemaining(after)) - Number(isRemaining(before))
    if (gone === come && remaining === 0) return this
    const exchange = (taken: readonly number[]) => (gone === come ? taken : exchanged(taken, gone, come))
    const backend = this.backends.get(after.backend) ?? NO_BACKEND
    const old = backend.kinds.get(after.config_name) ?? NO_KIND
    const kind = { taken: exchange(old.taken), remaining: old.remaining + remaining }
    const next = {
      kinds: backend.kinds.set(after.config_name, kind),
      taken: exchange(backend.taken),
      untried: backend.untried + untried(kind) - untried(old),
    }
    return new Durations(
      this.backends.set(after.backend, next),
      exchange(this.taken),
      this.tried + expected(kind) - expected(old),
    )
  }

  /** Milliseconds that an experiment of its kind usually takes; null before anything is completed. */
  usual({ config_name, backend }: Pick<Experiment, 'config_name' | 'backend'>): number | null {
    const known = this.backends.get(backend)
    return median(known?.kinds.get(config_name)?.taken ?? []) ?? this.usualOn(known)
  }

  /** Milliseconds that all that are still to run take, one after the other; null before anything is completed. */
  get remaining(): number | null {
    if (this.taken.length === 0) return null
    let time = this.tried
    for (const backend of this.backends.values()) time += backend.untried * (this.usualOn(backend) ?? 0)
    return time
  }

  private usualOn(backend: Backend | undefined): number | null {
    return median(backend?.taken ?? []) ?? median(this.taken)
  }
}

function count(counts: globalThis.Map<string, KindCounts>, experiment: Experiment): void {
  const { backend, config_name } = experiment
  let kinds = counts.get(backend)
  if (kinds === undefined) counts.set(backend, (kinds = new globalThis.Map<string, KindCount>()))
  let kind = kinds.get(config_name)
  if (kind === undefined) kinds.set(config_name, (kind = { taken: [], remaining: 0 }))
  const time = timeTaken(experiment)
  if (time !== null) kind.taken.push(time)
  if (isRemaining(experiment)) kind.remaining += 1
}

function* backendOf(counts: KindCounts): LongWork<Backend> {
  const kinds = yield* mapOf<string, KindCount, Kind>(counts, ({ taken, remaining }) => ({
    taken: ascending(taken),
    remaining,
  }))
  const all = [...counts.values()]
  return { kinds, taken: yield* merged(all), untried: all.reduce((sum, kind) => sum + untried(kind), 0) }
}

/** @param counts with their times in order */
function* expectedOf(counts: KindCounts): LongWork<number> {
  let sum = 0
  let index = 0
  for (const kind of counts.values()) {
    sum += expected(kind)
    index += 1
    if (isBreak(index)) yield
  }
  return sum
}

/** Null when it is not completed, or when a clock that was set back made its duration negative. */
function timeTaken({ status, started_at, completed_at }: Experiment): number | null {
  if (status !== 'completed' || started_at === null || completed_at === null) return null
  const taken = Date.parse(completed_at) - Date.parse(started_at)
  return taken >= 0 ? taken : null
}

function isRemaining({ status }: Experiment): boolean {
  return status === 'pending' || status === 'failed'
}

function expected({ taken, remaining }: Kind): number {
  return remaining * (median(taken) ?? 0)
}

function untried({ taken, remaining }: Kind): number {
  return taken.length === 0 ? remaining : 0
}

function median(taken: readonly number[]): number | null {
  const middle = taken.length >> 1
  const upper = taken[middle]
  if (upper === undefined) return null
  return taken.length % 2 === 1 ? upper : (upper + (taken[middle - 1] ?? upper)) / 2
}

function* merged(parts: readonly Pick<Kind, 'taken'>[]): LongWork<number[]> {
  const all: number[] = []
  for (const [index, { taken }] of parts.entries()) {
    for (const time of taken) all.push(time)
    if (isBreak(index)) yield
  }
  return ascending(all)
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
