import { keepTail, NOTE_BYTES } from './error-text.ts'
import type { Experiment } from './experiment.ts'

/** One way to make an experiment smaller, of what is missed least. */
interface ShrinkStage {
  /** Whether it is worth a new line: less than a third saved is not. */
  readonly applies: (experiment: Experiment) => boolean
  readonly apply: (experiment: Experiment) => Partial<Experiment>
}

/** In this order: what a stage can take is taken from every experiment of a campaign before the next stage begins. */
const STAGES: readonly ShrinkStage[] = [
  closedErrors(200),
  {
    applies: ({ attempts }) => attempts.length > 1,
    apply: ({ attempts }) => ({ attempts: attempts.slice(-1) }),
  },
  currentError(1024),
  {
    applies: ({ attempts }) => attempts.length > 0,
    apply: () => ({ attempts: [] }),
  },
  currentError(200),
  currentError(NOTE_BYTES),
]

/** Above any revision that a campaign reaches. Together with the stages it stays within what a number holds exactly. */
const REVISIONS = 2 ** 49

/**
 * Where the experiment stands among those that can be made smaller: by stage, and in a stage those first that changed longest ago.
 * Infinity: there is nothing to take.
 */
export function shrinkOrder(experiment: Experiment): number {
  const stage = stageOf(experiment)
  return stage === -1 ? Infinity : stage * REVISIONS + Math.min(experiment.revision, REVISIONS - 1)
}

/** The fields that are smaller after its next stage. */
export function shrink(experiment: Experiment): Partial<Experiment> {
  return STAGES[stageOf(experiment)]?.apply(experiment) ?? {}
}

function stageOf(experiment: Experiment): number {
  const { attempts, error } = experiment
  // Of nearly all experiments there is nothing to take.
  if (attempts.length === 0 && (error === null || !isLong(error, NOTE_BYTES))) return -1
  return STAGES.findIndex(({ applies }) => applies(experiment))
}

function closedErrors(limit: number): ShrinkStage {
  return {
    applies: ({ attempts }) => attempts.some(({ error }) => error !== null && isLong(error, limit)),
    apply: ({ attempts }) => ({
      attempts: attempts.map((past) => ({ ...past, error: past.error === null ? null : keepTail(past.error, limit) })),
    }),
  }
}

function currentError(limit: number): ShrinkStage {
  return {
    applies: ({ error }) => error !== null && isLong(error, limit),
    apply: ({ error }) => ({ error: error === null ? null : keepTail(error, limit) }),
  }
}

/** Counted in characters, which takes no time: a text that is cut to bytes has no more characters than those. */
function isLong(error: string, limit: number): boolean {
  return error.length > limit * 1.5
}
