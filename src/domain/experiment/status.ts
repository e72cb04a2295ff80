export const EXPERIMENT_STATUSES = ['pending', 'running', 'completed', 'failed', 'skipped'] as const

export type ExperimentStatus = (typeof EXPERIMENT_STATUSES)[number]

/**
 * What a report of a status does to an experiment in another (or the same) one.
 *
 * - `same`: nothing but the given fields changes; a repeated report changes nothing
 * - `start`: a new attempt begins
 * - `start-and-finish`: an attempt whose start was never reported ends
 * - `finish`: the running attempt ends
 * - `finish-if-lost`: the attempt that was given up for lost reports after all; refused after any other failure
 * - `same-or-finish-if-lost`: likewise, but after any other failure it is `same`
 * - `skip`: it will not be run
 * - `requeue`: back to pending
 * - `rerun`: back to pending, but never by a report: only retry and resume throw a completed result away
 * - `refused`: there is no such step
 */
export type Transition =
  | 'same'
  | 'start'
  | 'start-and-finish'
  | 'finish'
  | 'finish-if-lost'
  | 'same-or-finish-if-lost'
  | 'skip'
  | 'requeue'
  | 'rerun'
  | 'refused'

export const TRANSITIONS: Readonly<Record<ExperimentStatus, Readonly<Record<ExperimentStatus, Transition>>>> = {
  pending: {
    pending: 'same',
    running: 'start',
    completed: 'start-and-finish',
    failed: 'start-and-finish',
    skipped: 'skip',
  },
  running: {
    pending: 'requeue',
    running: 'same',
    completed: 'finish',
    failed: 'finish',
    skipped: 'skip',
  },
  completed: {
    pending: 'rerun',
    running: 'refused',
    completed: 'same',
    failed: 'refused',
    skipped: 'refused',
  },
  failed: {
    pending: 'requeue',
    running: 'start',
    completed: 'finish-if-lost',
    failed: 'same-or-finish-if-lost',
    skipped: 'skip',
  },
  skipped: {
    pending: 'requeue',
    running: 'refused',
    completed: 'refused',
    failed: 'refused',
    skipped: 'same',
  },
}
