import type { Fault, Outcome, Size } from '../fault.js'
import type { Met } from '../model/scene.js'
import { tryModel, tryModelOnStage } from '../model/trial.js'
import { seedOfRun } from '../seed.js'
import { onStage } from '../stage.js'

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
  'late-report a late finish',
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

async function run(size: Size): Promise<Outcome> {
  const seed = seedOfRun()
  const { counts, met, counterexample } = await tryModel({ runs: RUNS[size], seed })
  if (counterexample !== null) return { kind: 'failed', counts, because: counterexample }
  // The short form is too short for the rarest.
  const missing = size === 'short' ? [] : missingIn(met, MUST_BE_MET)
  if (missing.length > 0) return { kind: 'failed', counts, because: `seed ${seed}: never met ${missing.join(', ')}` }
  if (size !== 'full') return { kind: 'passed', counts }
  return onStage('model', async (stage) => {
    const real = await tryModelOnStage(stage, { runs: PROCESS_RUNS, seed })
    const problems = missingIn(real.met, MUST_BE_MET_ON_STAGE).map((outcome) => `seed ${seed}: never met ${outcome}`)
    const { runs = 0, answers = 0, kills = 0 } = real.counts
    const all = { ...counts, 'runs of a process': runs, 'answers of it': answers, kills }
    return { counts: all, problems: real.counterexample === null ? problems : [real.counterexample] }
  })
}

function missingIn(met: Met, awaited: readonly string[]): string[] {
  return awaited.filter((outcome) => ![...met.keys()].some((one) => ` ${one}`.endsWith(` ${outcome}`)))
}
