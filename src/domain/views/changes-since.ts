import type { Campaign } from '../campaign/campaign.ts'
import type { Experiment } from '../experiment/experiment.ts'
import { changedAfter } from '../indexes/summary.ts'

/**
 * The experiments that changed or were added after a revision, as they are now, in the order of their last changes.
 * @returns null when there are more than `most`
 */
export function changesSince({ experiments }: Campaign, revision: number, most = Infinity): Experiment[] | null {
  const isNewer = changedAfter(revision)
  const found: Experiment[] = []
  for (let at = experiments.next(0, isNewer); at !== -1; at = experiments.next(at + 1, isNewer)) {
    if (found.length >= most) return null
    found.push(experiments.at(at))
  }
  return found.sort((a, b) => a.revision - b.revision)
}
