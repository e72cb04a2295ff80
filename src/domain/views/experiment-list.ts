import type { Campaign } from '../campaign/campaign.ts'
import type { Experiment } from '../experiment/experiment.ts'
import { EXPERIMENT_STATUSES, type ExperimentStatus } from '../experiment/status.ts'
import { hasStatus } from '../indexes/summary.ts'
import { isBreak, type LongWork } from '../long-work.ts'

export interface ExperimentQuery {
  /** Any of these; all when left out. */
  readonly statuses?: readonly ExperimentStatus[]
  readonly equal: Partial<Pick<Experiment, 'backend' | 'container' | 'config_name' | 'cycle_index' | 'worker'>>
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
export function* pageOfExperiments({ experiments }: Campaign, query: ExperimentQuery): LongWork<ExperimentPage> {
  const inStatus = hasStatus(...(query.statuses ?? EXPERIMENT_STATUSES))
  const equal = Object.entries(query.equal) as [key: keyof Experiment, value: unknown][]
  const found: number[] = []
  let looked = 0
  for (let at = experiments.next(query.from, inStatus); at !== -1; at = experiments.next(at + 1, inStatus)) {
    const experiment = experiments.at(at)
    looked += 1
    if (isBreak(looked)) yield
    if (!equal.every(([key, value]) => experiment[key] === value)) continue
    if (found.length === query.limit) return { positions: found, next: at }
    found.push(at)
  }
  return { positions: found, next: null }
}
