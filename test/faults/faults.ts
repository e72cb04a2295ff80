import type { Fault } from './fault.js'
import { limits } from './rows/bounds/limits.js'
import { longWork } from './rows/bounds/long-work.js'
import { bytes } from './rows/clients/bytes.js'
import { held } from './rows/clients/held.js'
import { revoked } from './rows/clients/revoked.js'
import { diskFull } from './rows/disk-full.js'
import { errorAtEachStep } from './rows/error-at-each-step.js'
import { fuzz } from './rows/fuzz.js'
import { hostileInput } from './rows/hostile-input.js'
import { killAtEachStep } from './rows/kill-at-each-step.js'
import { killLoop } from './rows/kill-loop.js'
import { linearizability } from './rows/linearizability.js'
import { model } from './rows/model.js'
import { order } from './rows/order.js'
import { powerLoss } from './rows/power-loss.js'
import { shutdown } from './rows/shutdown.js'
import { staleRace } from './rows/stale-race.js'
import { stalledReaders } from './rows/stalled-readers.js'
import { unseenState } from './rows/unseen-state.js'
import { badMachine } from './rows/workers/bad-machine.js'
import { fleet } from './rows/workers/fleet.js'
import { zombie } from './rows/zombie.js'

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
  bytes,
  held,
  revoked,
  fleet,
  badMachine,
  limits,
  longWork,
]
