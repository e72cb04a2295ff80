export const EXPERIMENT_STATUSES = ['pending', 'running', 'completed', 'failed', 'skipped'] as const

export type ExperimentStatus = (typeof EXPERIMENT_STATUSES)[number]

/**
 * What a report of a status (the key within) does to an experiment in another or the same one (the key of the row).
 *
 * - `same`: only the given fields change; a repeated report changes nothing
 * - `start`: a new attempt begins
 * - `start-and-finish`: an attempt whose start was never reported ends
 * - `finish`: the running attempt ends
 * - `finish-if-lost`: a lost attempt reports its end after all; refused after any other failure
 * - `same-or-finish-if-lost`: likewise, but `same` after any other failure
 * - `skip`: it will not be run
 * - `requeue`: back to pending
 * - `rerun`: back to pending, but not by a report: only retry and resume discard a completed result
 * - `refused`: there is no such transition
 */
export const TRANSITIONS = {
  pending: {
    pending: 'same',
    running: 'start',
    completed: 'start-and-finish',
    failed: 'start-and-finish',
    skipped: 'skip',
  },
  running: { pending: 'requeue', running: 'same', completed: 'finish', failed: 'finish', skipped: 'skip' },
  completed: { pending: 'rerun', running: 'refused', completed: 'same', failed: 'refused', skipped: 'refused' },
  failed: {
    pending: 'requeue',
    running: 'start',
    completed: 'finish-if-lost',
    failed: 'same-or-finish-if-lost',
    skipped: 'skip',
  },
  skipped: { pending: 'requeue', running: 'refused', completed: 'refused', failed: 'refused', skipped: 'same' },
} as const satisfies Record<ExperimentStatus, Record<ExperimentStatus, string>>

export type Transition = (typeof TRANSITIONS)[ExperimentStatus][ExperimentStatus]
