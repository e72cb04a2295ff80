import type { Fault } from './fault.js'
import { diskFull } from './disk-full.js'
import { errorAtEachStep } from './error-at-each-step.js'
import { fleet } from './fleet.js'
import { fuzz } from './fuzz.js'
import { hostileInput } from './hostile-input.js'
import { killAtEachStep } from './kill-at-each-step.js'
import { killLoop } from './kill-loop.js'
import { linearizability } from './linearizability.js'
import { model } from './model.js'
import { order } from './order.js'
import { powerLoss } from './power-loss.js'
import { shutdown } from './shutdown.js'
import { stalledReaders } from './stalled-readers.js'
import { staleRace } from './stale-race.js'
import { unseenState } from './unseen-state.js'
import { zombie } from './zombie.js'

/** The table of the proof, row by row. */
export const FAULTS: readonly Fault[] = [
  killLoop,
  killAtEachStep,
  errorAtEachStep,
  diskFull,
  order,
  zombie,
  unseenState,
  staleRace,
  linearizability,
  model,
  powerLoss,
  shutdown,
  hostileInput,
  fuzz,
  stalledReaders,
  fleet,
]
