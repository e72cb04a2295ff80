import { Map } from 'immutable'
import type { Experiment, FailureKind } from '../experiment/experiment.ts'
import { EXPERIMENT_STATUSES, type ExperimentStatus } from '../experiment/status.ts'
import { isBreak, type LongWork } from '../long-work.ts'
import { Durations } from './durations.ts'

/** How many experiments are in each status. */
export type Counts = Readonly<Record<ExperimentStatus, number>>

type Failures = Map<FailureKind, number>

/** Groups by one key up to which they are counted: a campaign may have as many as experiments, and progress is sent with every change. */
export const MAX_GROUPS = 200

/** Null when there are more than `MAX_GROUPS`. */
export type GroupCounts<K> = Map<K, Counts> | null

/** Counts over a whole campaign, updated with each change. Persistent maps, since to copy a plain one costs its size. */
export interface CampaignCounts {
  readonly by_status: Counts
  readonly by_backend: GroupCounts<string>
  readonly by_cycle: GroupCounts<number>
  readonly failures: Failures
  /** Experiments that have been started at least once. */
  readonly ever_started: number
  readonly durations: Durations
}

type Group = Record<ExperimentStatus, number>

const NO_COUNTS = Object.fromEntries(EXPERIMENT_STATUSES.map((status) => [status, 0])) as Counts

export function* countsOf(experiments: readonly Experiment[]): LongWork<CampaignCounts> {
  const by_status = { ...NO_COUNTS }
  const backends = new globalThis.Map<string, Group>()
  const cycles = new globalThis.Map<number, Group>()
  let failures: Failures = Map()
  let ever_started = 0
  for (const [position, experiment] of experiments.entries()) {
    const { status, backend, cycle_index, attempt } = experiment
    by_status[status] += 1
    add(backends, backend, status)
    add(cycles, cycle_index, status)
    if (status === 'failed') failures = failures.update(kindOf(experiment), 0, (n) => n + 1)
    if (attempt > 0) ever_started += 1
    if (isBreak(position)) yield
  }
  const durations = yield* Durations.of(experiments)
  return { by_status, by_backend: counted(backends), by_cycle: counted(cycles), failures, ever_started, durations }
}

/** Counts in place: to make a new value for each experiment takes twice as long. Stops when there are too many groups. */
function add<K>(groups: globalThis.Map<K, Group>, key: K, status: ExperimentStatus): void {
  if (groups.size > MAX_GROUPS) return
  let group = groups.get(key)
  if (group === undefined) groups.set(key, (group = { ...NO_COUNTS }))
  group[status] += 1
}

function counted<K>(groups: ReadonlyMap<K, Group>): GroupCounts<K> {
  return groups.size > MAX_GROUPS ? null : Map<K, Counts>(groups)
}

/** The counts after one experiment turned from `before` into `after`. Backend and cycle are as before: see `isGroupedAlike`. */
export function updateCounts(
  counts: CampaignCounts,
  position: number,
  before: Experiment,
  after: Experiment,
): CampaignCounts {
  const ever_started = counts.ever_started + Number(after.attempt > 0) - Number(before.attempt > 0)
  const moved = (group: Counts) => bump(bump(group, before.status, -1), after.status, 1)
  const same = before.status === after.status
  return {
    by_status: same ? counts.by_status : moved(counts.by_status),
    by_backend: same ? counts.by_backend : (counts.by_backend?.update(after.backend, NO_COUNTS, moved) ?? null),
    by_cycle: same ? counts.by_cycle : (counts.by_cycle?.update(after.cycle_index, NO_COUNTS, moved) ?? null),
    failures: updateFailures(counts.failures, before, after),
    ever_started,
    durations: counts.durations.with(position, before, after),
  }
}

function updateFailures(failures: Failures, before: Experiment, after: Experiment): Failures {
  if (before.failure_kind === after.failure_kind && before.status === after.status) return failures
  let next = failures
  if (before.status === 'failed') next = next.update(kindOf(before), 0, (n) => n - 1)
  if (after.status === 'failed') next = next.update(kindOf(after), 0, (n) => n + 1)
  return next
}

function kindOf(failed: Experiment): FailureKind {
  return failed.failure_kind ?? 'error'
}

function bump(counts: Counts, status: ExperimentStatus, by: number): Group {
  return { ...counts, [status]: counts[status] + by }
}
