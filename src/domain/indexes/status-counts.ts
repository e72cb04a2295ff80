import { Map } from 'immutable'
import { Durations } from './durations.ts'
import type { Experiment, FailureKind } from '../experiment/experiment.ts'
import { EXPERIMENT_STATUSES, type ExperimentStatus } from '../experiment/status.ts'

/** How many experiments are in each status. */
export type Counts = Readonly<Record<ExperimentStatus, number>>

/**
 * What a campaign adds up to, kept as it changes. Persistent maps, since copying a plain one for each change costs its
 * size: a campaign may have as many cycles as experiments.
 */
export interface CampaignCounts {
  readonly by_status: Counts
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

export function countsOf(experiments: Iterable<Experiment>): CampaignCounts {
  const by_status = { ...NO_COUNTS }
  const by_backend = new Groups<string>()
  const by_cycle = new Groups<number>()
  let failures: CampaignCounts['failures'] = Map()
  let ever_started = 0
  for (const experiment of experiments) {
    const { status, backend, cycle_index, attempt } = experiment
    by_status[status] += 1
    by_backend.count(backend, status)
    by_cycle.count(cycle_index, status)
    if (status === 'failed') failures = failures.update(kindOf(experiment), 0, (n) => n + 1)
    if (attempt > 0) ever_started += 1
  }
  const durations = Durations.of(experiments)
  return { by_status, by_backend: by_backend.done(), by_cycle: by_cycle.done(), failures, ever_started, durations }
}

/**
 * The counts of a group of one experiment, by its status. Shared, since there may be as many cycles as experiments: an
 * object for each took 96 bytes more.
 */
const ALONE = Object.fromEntries(
  EXPERIMENT_STATUSES.map((status) => [status, Object.freeze({ ...NO_COUNTS, [status]: 1 })]),
) as Readonly<Record<ExperimentStatus, Counts>>

/** Counts in place while a whole campaign is read: a new value for each experiment took twice as long. */
class Groups<K> {
  private readonly groups = new globalThis.Map<K, Counts>()
  /** Those that are no longer of one experiment, whose counts are their own. */
  private readonly several = new globalThis.Map<K, Record<ExperimentStatus, number>>()

  count(key: K, status: ExperimentStatus): void {
    const several = this.several.get(key)
    if (several !== undefined) {
      several[status] += 1
      return
    }
    const one = this.groups.get(key)
    const group = one === undefined ? ALONE[status] : bump(one, status, 1)
    this.groups.set(key, group)
    if (one !== undefined) this.several.set(key, group)
  }

  done(): Map<K, Counts> {
    return Map(this.groups)
  }
}

/** The tally after one experiment turned from `before` into `after`. Backend and cycle never change. */
export function updateCounts(tally: CampaignCounts, before: Experiment, after: Experiment): CampaignCounts {
  const ever_started = tally.ever_started + Number(after.attempt > 0) - Number(before.attempt > 0)
  const moved = (counts: Counts) => bump(bump(counts, before.status, -1), after.status, 1)
  const same = before.status === after.status
  return {
    by_status: same ? tally.by_status : moved(tally.by_status),
    by_backend: same ? tally.by_backend : tally.by_backend.update(after.backend, NO_COUNTS, moved),
    by_cycle: same ? tally.by_cycle : tally.by_cycle.update(after.cycle_index, NO_COUNTS, moved),
    failures: updateFailures(tally.failures, before, after),
    ever_started,
    durations: tally.durations.with(before, after),
  }
}

function updateFailures(
  failures: CampaignCounts['failures'],
  before: Experiment,
  after: Experiment,
): CampaignCounts['failures'] {
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
