import type { Experiment } from '../experiment/experiment.ts'
import { ClaimQueues } from '../indexes/claim-queues.ts'
import { ExperimentSequence } from '../indexes/experiment-sequence.ts'
import { type CampaignCounts, countsOf } from '../indexes/status-counts.ts'
import { isBreak, type LongWork } from '../long-work.ts'

/** Positions in manifest order, from 0, by id. */
export type Positions = ReadonlyMap<string, number>

/** The experiments of a campaign with what makes it quick to find and count them. */
export interface CampaignIndexes {
  readonly experiments: ExperimentSequence
  readonly counts: CampaignCounts
  /** What can be claimed. */
  readonly queues: ClaimQueues
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
  return { experiments, counts, queues: yield* ClaimQueues.of(list), positions }
}

function* positionsOf(experiments: readonly Experiment[]): LongWork<Positions> {
  const positions = new Map<string, number>()
  for (const [position, { exp_id }] of experiments.entries()) {
    positions.set(exp_id, position)
    if (isBreak(position)) yield
  }
  return positions
}
