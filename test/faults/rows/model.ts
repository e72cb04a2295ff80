import { join } from 'node:path'
import type { Fault, Findings, Size } from '../fault.js'
import { type TrialResult, tryModel, tryModelOnStage } from '../model/trial.js'
import { seedOfRun } from '../seed.js'
import type { Stage } from '../stage.js'

const RUNS: Readonly<Record<Size, number>> = { short: 40, middle: 300, full: 1_000 }

const PROCESS_RUNS = 20

/** What must have been met, by whichever call where none is named, or the commands have become too tame to find anything. */
const MUST_BE_MET = [
  '201',
  '204',
  '304',
  '400 invalid',
  '422 invalid',
  '404 campaign-not-found',
  '404 experiment-not-found',
  '409 already-running',
  '409 batch-refused',
  '409 campaign-exists',
  '409 campaign-running',
  '409 config-changed',
  '409 experiment-exists',
  '409 not-the-owner',
  '409 stale-attempt',
  '409 transition-refused',
  '412 precondition-failed',
  '409 no-lease',
  'claim handed out',
  'claim the same claims',
  'claim a later attempt',
  'heartbeat 200',
  'heartbeat cancel',
  'elapse lost',
  'elapse lost together',
  'elapse a stop goes back to pending',
  'late-report a late finish',
  'late-completion a late completion',
  'late-completion 409 not-the-owner',
  'late-completion 409 stale-attempt',
  'stop a stop goes back to pending',
  'stop a stop is told again',
  'create an empty one',
  'create an import',
  'claim a loss again',
  'fail benched',
  'fail lifted',
  '404 worker-not-found',
  'save 200',
  'save 201',
  'save 409 would-lose',
  'save 428 precondition-required',
]

const MUST_BE_MET_ON_STAGE = [
  'claim handed out',
  'kill-during 200',
  'lose lost',
  'lose lost after a kill',
  'heartbeat 200',
]

/** Random calls against a plain model of the whole API, in the full form of a real process too; CAMPAIGND_TEST_SEED repeats those of a run that failed. */
export const model: Fault = {
  name: 'model',
  how: 'random calls and restarts, each answer and all that is left held against a plain model of the API',
  run,
}

async function run(stage: Stage, size: Size): Promise<Findings> {
  const seed = seedOfRun()
  const modelled = await tryModel(join(stage.root, 'modelled'), { runs: RUNS[size], seed })
  const { counts } = modelled
  // The short form is too short for the rarest.
  const problems = problemsOf(modelled, size === 'short' ? [] : MUST_BE_MET, seed)
  if (size !== 'full' || problems.length > 0) return { counts, problems }
  const real = await tryModelOnStage(stage, { runs: PROCESS_RUNS, seed })
  const { runs = 0, answers = 0, kills = 0 } = real.counts
  const all = { ...counts, 'runs of a process': runs, 'answers of it': answers, kills }
  return { counts: all, problems: problemsOf(real, MUST_BE_MET_ON_STAGE, seed) }
}

function problemsOf({ met, counterexample }: TrialResult, awaited: readonly string[], seed: number): string[] {
  if (counterexample !== null) return [counterexample]
  const missing = awaited.filter((outcome) => ![...met.keys()].some((one) => ` ${one}`.endsWith(` ${outcome}`)))
  return missing.map((outcome) => `seed ${seed}: never met ${outcome}`)
}
