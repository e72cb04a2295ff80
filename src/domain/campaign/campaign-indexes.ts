import type { Experiment } from '../experiment/experiment.ts'
import { ClaimQueues } from '../indexes/claim-queues.ts'
import { ExperimentSequence, lineSize } from '../indexes/experiment-sequence.ts'
import { isGroupedAlike } from '../indexes/groups.ts'
import { type CampaignCounts, countsOf, updateCounts } from '../indexes/status-counts.ts'
import { WorkerRuns } from '../indexes/worker-runs.ts'
import { isBreak, listOf, type LongWork } from '../long-work.ts'

/** Positions in manifest order, from 0, by id. */
type Positions = ReadonlyMap<string, number>

/** The experiments of a campaign with what makes it quick to find and count them. */
export interface CampaignIndexes {
  readonly experiments: ExperimentSequence
  readonly counts: CampaignCounts
  /** What can be claimed. */
  readonly queues: ClaimQueues
  /** How workers ended their runs. */
  readonly workers: WorkerRuns
  readonly positions: Positions
}

/** @param sizes bytes of the line of each, where they are known */
export function* indexesOf(
  list: readonly Experiment[],
  sizes: readonly number[] | undefined,
  known?: Positions,
): LongWork<CampaignIndexes> {
  const positions = known ?? (yield* positionsOf(list))
  const experiments = yield* ExperimentSequence.from(list, sizes)
  const counts = yield* countsOf(list)
  const queues = yield* ClaimQueues.of(list)
  return { experiments, counts, queues, workers: yield* WorkerRuns.of(list), positions }
}

/** Changes that are made in one go. */
export const FEW = 32

/**
 * Every index brought forward by each experiment: what is not touched is shared.
 * @param lines gets the JSON of each, by position
 * @returns null when one belongs into other groups than before: then all must be made anew
 * @throws Error when a changed experiment is not in the campaign
 */
export function updated(
  { experiments, counts, queues, workers, positions }: CampaignIndexes,
  changed: readonly Experiment[],
  lines: Map<number, string>,
): CampaignIndexes | null {
  for (const after of changed) {
    const position = positionOf(positions, after)
    const before = experiments.at(position)
    if (!isGroupedAlike(before, after)) return null
    const json = JSON.stringify(after)
    counts = updateCounts(counts, position, before, after)
    queues = queues.with(position, before, after)
    workers = workers.with(position, before, after)
    experiments = experiments.replace(position, after, lineSize(json))
    lines.set(position, json)
  }
  return { experiments, counts, queues, workers, positions }
}

export function* updatedInSlices(
  indexes: CampaignIndexes,
  changed: readonly Experiment[],
  lines: Map<number, string>,
): LongWork<CampaignIndexes | null> {
  let next: CampaignIndexes | null = indexes
  for (let at = 0; at < changed.length && next !== null; at += FEW) {
    next = updated(next, changed.slice(at, at + FEW), lines)
    yield
  }
  return next
}

/** Every index made anew, of which each step is much cheaper. */
export function* rebuilt(
  indexes: CampaignIndexes,
  { changed, appended }: { readonly changed: readonly Experiment[]; readonly appended: readonly Experiment[] },
  lines: Map<number, string>,
): LongWork<CampaignIndexes> {
  const experiments = yield* listOf(indexes.experiments)
  const sizes = yield* listOf(indexes.experiments.sizes)
  const put = (position: number, experiment: Experiment) => {
    const json = JSON.stringify(experiment)
    experiments[position] = experiment
    sizes[position] = lineSize(json)
    lines.set(position, json)
  }
  for (const after of changed) {
    put(positionOf(indexes.positions, after), after)
    if (isBreak(lines.size)) yield
  }
  for (const experiment of appended) {
    put(experiments.length, experiment)
    if (isBreak(lines.size)) yield
  }
  return yield* indexesOf(experiments, sizes, appended.length === 0 ? indexes.positions : undefined)
}

function positionOf(positions: Positions, { exp_id }: Experiment): number {
  const position = positions.get(exp_id)
  if (position === undefined) throw new Error(`changes name the unknown experiment ${exp_id}`)
  return position
}

function* positionsOf(experiments: readonly Experiment[]): LongWork<Positions> {
  const positions = new Map<string, number>()
  for (const [position, { exp_id }] of experiments.entries()) {
    positions.set(exp_id, position)
    if (isBreak(position)) yield
  }
  return positions
}
