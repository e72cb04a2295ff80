import type { Campaign } from '../campaign/campaign.ts'
import type { Experiment } from '../experiment/experiment.ts'
import { EXPERIMENT_STATUSES, type ExperimentStatus } from '../experiment/status.ts'
import { hasStatus } from '../indexes/summary.ts'
import { isBreak, type LongWork } from '../long-work.ts'

/** The fields by which experiments are found: equal ones. */
type EqualKey = 'backend' | 'container' | 'config_name' | 'cycle_index' | 'worker' | 'failure_kind'

export interface ExperimentFilter {
  /** Any of these; all when left out. */
  readonly statuses?: readonly ExperimentStatus[]
  readonly equal: Partial<Pick<Experiment, EqualKey>>
}

export interface ExperimentQuery extends ExperimentFilter {
  readonly limit: number
  /** Position in the manifest at which the page begins, from 0. */
  readonly from: number
}

export interface ExperimentPage {
  /** Of the experiments, in the manifest. */
  readonly positions: readonly number[]
  /** Position at which the next page begins; null at the end. */
  readonly next: number | null
}

/** One page of the experiments that match, in manifest order, without a scan of those in other statuses. */
export function* pageOfExperiments(campaign: Campaign, query: ExperimentQuery): LongWork<ExperimentPage> {
  const positions: number[] = []
  const next = yield* search(campaign, query, query.from, (position) => {
    if (positions.length === query.limit) return false
    positions.push(position)
    return true
  })
  return { positions, next }
}

/** Which experiments match: 1 at their positions, 0 at the others. A byte each, since a slow download holds it to its end. */
export function* matchingExperiments(campaign: Campaign, filter: ExperimentFilter): LongWork<Uint8Array> {
  const isMatch = new Uint8Array(campaign.experiments.length)
  yield* search(campaign, filter, 0, (position) => {
    isMatch[position] = 1
    return true
  })
  return isMatch
}

/**
 * Tells the positions of those that match, until one is refused.
 * @returns the position that was refused, or null
 */
function* search(
  { experiments }: Campaign,
  { statuses = EXPERIMENT_STATUSES, equal }: ExperimentFilter,
  from: number,
  take: (position: number) => boolean,
): LongWork<number | null> {
  const inStatus = hasStatus(...statuses)
  const wanted = Object.entries(equal) as [key: keyof Experiment, value: unknown][]
  let looked = 0
  for (let at = experiments.next(from, inStatus); at !== -1; at = experiments.next(at + 1, inStatus)) {
    const experiment = experiments.at(at)
    looked += 1
    if (isBreak(looked)) yield
    if (wanted.every(([key, value]) => experiment[key] === value) && !take(at)) return at
  }
  return null
}
