import type { ProblemKinds } from '../problem-kind.ts'

/** The state or the config of experiments does not permit the call. */
export const EXPERIMENT_PROBLEMS = {
  'experiment-not-found': {
    status: 404,
    title: 'No such experiment',
    meaning: 'The campaign has no experiment with this id.',
    remedy: 'List them with GET /v1/campaigns/{campaign_id}/experiments.',
  },
  'experiment-exists': {
    status: 409,
    title: 'Experiment exists',
    meaning: 'The campaign has an experiment with this id and another definition. Nothing was appended.',
    remedy: 'Choose another exp_id.',
  },
  'already-running': {
    status: 409,
    title: 'Already running',
    meaning: 'Another worker runs the experiment. `experiment` shows which one, and since when.',
    remedy: 'Take another experiment. If the worker is gone, set the experiment back to status pending, or resume.',
  },
  'not-the-owner': {
    status: 409,
    title: 'Not the owner',
    meaning: 'The attempt belongs to another worker than the report names. Nothing was changed.',
    remedy: 'Stop: another worker runs the experiment.',
  },
  'stale-attempt': {
    status: 409,
    title: 'Stale attempt',
    meaning:
      'The report names an attempt that is not the current one. Nothing was changed; `experiment` shows the current state.',
    remedy: 'Stop the work on that attempt: it was given up, and another worker may run the experiment.',
  },
  'transition-refused': {
    status: 409,
    title: 'Transition refused',
    meaning: 'The status of the experiment does not permit this report. Nothing was changed; `experiment` shows it.',
    remedy: 'Follow the hint in `detail`.',
  },
  'no-lease': {
    status: 409,
    title: 'No lease',
    meaning:
      'The heartbeat is of an attempt that holds no lease: it has ended, it was started without one, or the lease ran out. ' +
      '`experiment` shows the current state.',
    remedy:
      'Stop the work on that attempt, unless it was started without a lease: that one needs no heartbeats. Its result may still ' +
      'be reported: it counts as long as the experiment was not started again.',
  },
  'config-changed': {
    status: 409,
    title: 'Config changed',
    meaning:
      'The config is not the one that the campaign was created with. `changed`, `added` and `removed` list the differences.',
    remedy: 'Resume with on_config_change `rerun_changed` or `accept`, or create a new campaign.',
  },
  'batch-refused': {
    status: 409,
    title: 'Batch refused',
    meaning:
      'At least one update of an atomic batch is refused, so none was made. `results` has the outcome of each update.',
    remedy: 'Correct the updates that are refused, or send the batch without ?atomic=true.',
  },
} as const satisfies ProblemKinds
