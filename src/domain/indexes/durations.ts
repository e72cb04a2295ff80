import { Map } from 'immutable'
import type { Experiment } from '../experiment/experiment.ts'

/** How long the completed experiments of one kind took, and how many of the kind are still to run. */
interface Kind {
  readonly backend: string
  /** Milliseconds, ascending. */
  readonly taken: readonly number[]
  /** Pending and failed. */
  readonly remaining: number
}

interface KindBuilding extends Kind {
  readonly taken: number[]
  remaining: number
}

/** What is known of one backend, over all configs that run on it. */
interface Backend {
  /** Milliseconds, ascending. */
  readonly taken: readonly number[]
  /** Still to run, of configs of which none is completed: only the backend can tell how long they take. */
  readonly untried: number
}

/**
 * What completed experiments took, kept as it changes, so that an estimate need not look at the experiments. An
 * immutable value, like the campaign. In whole milliseconds, of which sums and medians are exact: what was kept up to
 * date equals what is computed anew after a restart.
 */
export class Durations {
  private constructor(
    /** By config_name and backend. */
    private readonly kinds: Map<string, Kind>,
    private readonly backends: Map<string, Backend>,
    private readonly taken: readonly number[],
    /** Milliseconds that those still to run take, of configs that were tried. */
    private readonly tried: number,
  ) {}

  static of(experiments: Iterable<Experiment>): Durations {
    const kinds = new Kinds()
    for (const experiment of experiments) {
      const kind = kinds.of(experiment)
      const time = timeTaken(experiment)
      if (time !== null) kind.taken.push(time)
      if (isRemaining(experiment)) kind.remaining += 1
    }
    const backends = new globalThis.Map<string, { taken: number[]; untried: number }>()
    const all: number[] = []
    let tried = 0
    for (const { backend: name, taken, remaining } of kinds.byKey.values()) {
      ascending(taken)
      const backend = backends.get(name) ?? { taken: [], untried: 0 }
      backends.set(name, backend)
      if (taken.length === 0) backend.untried += remaining
      for (const time of taken) {
        backend.taken.push(time)
        all.push(time)
      }
      tried += remaining * (median(taken) ?? 0)
    }
    for (const { taken } of backends.values()) ascending(taken)
    return new Durations(Map(kinds.byKey), Map(backends), ascending(all), tried)
  }

  /** After one experiment turned from `before` into `after`. */
  with(before: Experiment, after: Experiment): Durations {
    const [gone, come] = [timeTaken(before), timeTaken(after)]
    const remaining = Number(isRemaining(after)) - Number(isRemaining(before))
    if (gone === come && remaining === 0) return this
    const exchange = (taken: readonly number[]) => (gone === come ? taken : inserted(removed(taken, gone), come))
    const key = kindOf(after)
    const old = this.kinds.get(key) ?? { backend: after.backend, taken: [], remaining: 0 }
    const kind = { ...old, taken: exchange(old.taken), remaining: old.remaining + remaining }
    const backend = this.backends.get(after.backend) ?? { taken: [], untried: 0 }
    return new Durations(
      this.kinds.set(key, kind),
      this.backends.set(after.backend, {
        taken: exchange(backend.taken),
        untried: backend.untried + untried(kind) - untried(old),
      }),
      exchange(this.taken),
      this.tried + expected(kind) - expected(old),
    )
  }

  /** Milliseconds that an experiment of its kind usually takes; null before anything is completed. */
  usual({ config_name, backend }: Pick<Experiment, 'config_name' | 'backend'>): number | null {
    const kind = this.kinds.get(kindOf({ config_name, backend }))
    return median(kind?.taken ?? []) ?? this.usualOn(backend)
  }

  /** Milliseconds that all that are still to run take, one after the other; null before anything is completed. */
  get remaining(): number | null {
    if (this.taken.length === 0) return null
    let time = this.tried
    for (const [name, { untried }] of this.backends) time += untried * (this.usualOn(name) ?? 0)
    return time
  }

  private usualOn(backend: string): number | null {
    return median(this.backends.get(backend)?.taken ?? []) ?? median(this.taken)
  }
}

/** Collects kinds while a whole campaign is read. To make up the key of each experiment took two to four times as long. */
class Kinds {
  readonly byKey = new globalThis.Map<string, KindBuilding>()
  private readonly byBackend = new globalThis.Map<string, globalThis.Map<string, KindBuilding>>()

  of({ backend, config_name }: Pick<Experiment, 'config_name' | 'backend'>): KindBuilding {
    const known = this.byBackend.get(backend)?.get(config_name)
    if (known !== undefined) return known
    const kind = { backend, taken: [], remaining: 0 }
    const configs = this.byBackend.get(backend) ?? new globalThis.Map<string, KindBuilding>()
    this.byBackend.set(backend, configs.set(config_name, kind))
    this.byKey.set(kindOf({ backend, config_name }), kind)
    return kind
  }
}

/** Null when it is not completed or its times cannot be: a clock that was set back makes durations below zero. */
function timeTaken({ status, started_at, completed_at }: Experiment): number | null {
  if (status !== 'completed' || started_at === null || completed_at === null) return null
  const taken = Date.parse(completed_at) - Date.parse(started_at)
  return taken >= 0 ? taken : null
}

function isRemaining({ status }: Experiment): boolean {
  return status === 'pending' || status === 'failed'
}

function kindOf({ config_name, backend }: Pick<Experiment, 'config_name' | 'backend'>): string {
  // The length keeps apart what would run together.
  return `${backend.length} ${backend}${config_name}`
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

function ascending(times: number[]): number[] {
  return times.sort((a, b) => a - b)
}

function inserted(taken: readonly number[], time: number | null): readonly number[] {
  return time === null ? taken : taken.toSpliced(placeOf(taken, time), 0, time)
}

function removed(taken: readonly number[], time: number | null): readonly number[] {
  return time === null ? taken : taken.toSpliced(placeOf(taken, time), 1)
}

/** The first place at which nothing smaller stands, by halving. */
function placeOf(taken: readonly number[], time: number): number {
  let [low, high] = [0, taken.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((taken[middle] ?? Infinity) < time) low = middle + 1
    else high = middle
  }
  return low
}
