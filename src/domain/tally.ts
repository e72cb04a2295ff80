import { Map } from 'immutable'
import { Durations } from './durations.ts'
import type { Experiment, FailureKind } from './experiment.ts'
import { EXPERIMENT_STATUSES, type ExperimentStatus } from './status.ts'

/** How many experiments are in each status. */
export type Counts = Readonly<Record<ExperimentStatus, number>>

/**
 * What a campaign adds up to, kept as it changes. Persistent maps, since copying a plain one for each change costs its
 * size: a campaign may have as many cycles as experiments.
 */
export interface Tally {
  readonly counts: Counts
  readonly by_backend: Map<string, Counts>
  readonly by_cycle: Map<number, Counts>
  readonly failures: Map<FailureKind, number>
  /** Experiments that have been started at least once. */
  readonly ever_started: number
  readonly durations: Durations
}

const NO_COUNTS: Counts = Object.freeze(
  Object.fromEntries(EXPERIMENT_STATUSES.map((status) => [status, 0])) as Record<ExperimentStatus, number>,
)

export function tallyOf(experiments: Iterable<Experiment>): Tally {
  let counts = NO_COUNTS
  let ever_started = 0
  const by_backend: Tally['by_backend'] = Map<string, Counts>().asMutable()
  const by_cycle: Tally['by_cycle'] = Map<number, Counts>().asMutable()
  const failures: Tally['failures'] = Map<FailureKind, number>().asMutable()
  for (const experiment of experiments) {
    const { status } = experiment
    counts = bump(counts, status, 1)
    by_backend.update(experiment.backend, NO_COUNTS, (of) => bump(of, status, 1))
    by_cycle.update(experiment.cycle_index, NO_COUNTS, (of) => bump(of, status, 1))
    if (status === 'failed') failures.update(kindOf(experiment), 0, (n) => n + 1)
    if (experiment.attempt > 0) ever_started += 1
  }
  return {
    counts,
    by_backend: by_backend.asImmutable(),
    by_cycle: by_cycle.asImmutable(),
    failures: failures.asImmutable(),
    ever_started,
    durations: Durations.of(experiments),
  }
}

/** The tally after one experiment turned from `before` into `after`. Backend and cycle never change. */
export function retally(tally: Tally, before: Experiment, after: Experiment): Tally {
  const ever_started = tally.ever_started + Number(after.attempt > 0) - Number(before.attempt > 0)
  const moved = (counts: Counts) => bump(bump(counts, before.status, -1), after.status, 1)
  const same = before.status === after.status
  return {
    counts: same ? tally.counts : moved(tally.counts),
    by_backend: same ? tally.by_backend : tally.by_backend.update(after.backend, NO_COUNTS, moved),
    by_cycle: same ? tally.by_cycle : tally.by_cycle.update(after.cycle_index, NO_COUNTS, moved),
    failures: refail(tally.failures, before, after),
    ever_started,
    durations: tally.durations.with(before, after),
  }
}

function refail(failures: Tally['failures'], before: Experiment, after: Experiment): Tally['failures'] {
  if (before.failure_kind === after.failure_kind && before.status === after.status) return failures
  let next = failures
  if (before.status === 'failed') next = next.update(kindOf(before), 0, (n) => n - 1)
  if (after.status === 'failed') next = next.update(kindOf(after), 0, (n) => n + 1)
  return next
}

function kindOf(failed: Experiment): FailureKind {
  return failed.failure_kind ?? 'error'
}

function bump(counts: Counts, status: ExperimentStatus, by: number): Counts {
  return { ...counts, [status]: counts[status] + by }
}
