import type { Fault, Outcome, Size } from './fault.js'
import { tryModel } from './model/trial.js'

const RUNS: Readonly<Record<Size, number>> = { short: 40, middle: 300, full: 1_000 }

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

/** Random calls against a plain model of the whole API; CAMPAIGND_TEST_SEED repeats those of a run that failed. */
export const model: Fault = {
  name: 'model',
  how: 'random calls and restarts, each answer and all that is left held against a plain model of the API',
  run,
}

async function run(size: Size): Promise<Outcome> {
  const seed = Number(process.env['CAMPAIGND_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  const { counts, met, counterexample } = await tryModel({ runs: RUNS[size], seed })
  if (counterexample !== null) return { kind: 'failed', counts, because: counterexample }
  // The short form is too short for the rarest.
  const awaited = size === 'short' ? [] : MUST_BE_MET
  const missing = awaited.filter((outcome) => ![...met.keys()].some((one) => ` ${one}`.endsWith(` ${outcome}`)))
  if (missing.length === 0) return { kind: 'passed', counts }
  return { kind: 'failed', counts, because: `seed ${seed}: never met ${missing.join(', ')}` }
}
