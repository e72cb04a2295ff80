import type { Experiment } from '../../experiment/experiment.ts'
import type { ExperimentStatus } from '../../experiment/status.ts'

/** How far a status is: what is further ahead is kept when two histories of a campaign are merged. */
const RANKS: Readonly<Record<ExperimentStatus, number>> = {
  pending: 0,
  running: 0,
  failed: 1,
  skipped: 1,
  completed: 2,
}

export function isFurther(a: Experiment, b: Experiment): boolean {
  return RANKS[a.status] > RANKS[b.status]
}
