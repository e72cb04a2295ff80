import type { Campaign } from '../campaign/campaign.ts'
import type { Experiment } from '../experiment/experiment.ts'
import { hasStatus } from '../indexes/experiment-sequence.ts'
import { EXPERIMENT_STATUSES, type ExperimentStatus } from '../experiment/status.ts'

export interface ExperimentQuery {
  /** Any of these; all when left out. */
  readonly statuses?: readonly ExperimentStatus[]
  /** Fields that must have these values. */
  readonly equal: Partial<Pick<Experiment, 'backend' | 'container' | 'config_name' | 'cycle_index' | 'worker'>>
  readonly limit: number
  /** Position in the manifest at which the page begins, from 0. */
  readonly from: number
}

export interface ExperimentPage {
  /** Where the experiments stand in the manifest. */
  readonly positions: readonly number[]
  /** Position at which the next page begins; null at the end. */
  readonly next: number | null
}

type Fields = [key: keyof Experiment, value: unknown][]

/** One page of the experiments that match, in manifest order. Passes over runs in other statuses unseen. */
export function pageOfExperiments({ experiments }: Campaign, query: ExperimentQuery): ExperimentPage {
  const inStatus = hasStatus(...(query.statuses ?? EXPERIMENT_STATUSES))
  const equal = Object.entries(query.equal) as Fields
  const found: number[] = []
  let position = experiments.next(query.from, inStatus)
  while (position !== -1) {
    if (equal.length === 0 || matches(experiments.at(position), equal)) {
      if (found.length === query.limit) return { positions: found, next: position }
      found.push(position)
    }
    position = experiments.next(position + 1, inStatus)
  }
  return { positions: found, next: null }
}

function matches(experiment: Experiment, fields: Fields): boolean {
  return fields.every(([key, value]) => experiment[key] === value)
}
