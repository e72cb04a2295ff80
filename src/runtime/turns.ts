import { setImmediate as nextTurn } from 'node:timers/promises'

/**
 * Milliseconds of long work in one turn of the event loop, after which others get their turn: of all that is long together, since
 * with a time for each, many would hold up a turn.
 */
const TURN = 4

/** Steps of work that is short: it needs no clock. */
const SHORT = 4

/** When the long work of this turn of the event loop is to end. */
let turnEnd = -Infinity
let isBegun = false
let turns = Promise.resolve()

/**
 * Does work that yields now and then: at once when it is short, else over several turns of the event loop.
 * @returns a plain value when it was done at once
 */
export function inTurns<T>(work: Iterator<void, T, void>): T | Promise<T> {
  for (let steps = 1; ; steps += 1) {
    const step = work.next()
    if (step.done === true) return step.value
    if (steps === SHORT) beginTurn()
    if (steps >= SHORT && isTurnOver()) return continued(work)
  }
}

/** Whether long work has to wait for another turn of the event loop. */
export function isTurnOver(): boolean {
  return performance.now() >= turnEnd
}

/** Waits for a turn of the event loop in which no other long work goes on. */
export function shareOfTurn(): Promise<void> {
  turns = turns.then(async () => {
    await nextTurn()
    turnEnd = performance.now() + TURN
  })
  return turns
}

async function continued<T>(work: Iterator<void, T, void>): Promise<T> {
  for (;;) {
    await shareOfTurn()
    do {
      const step = work.next()
      if (step.done === true) return step.value
    } while (!isTurnOver())
  }
}

/** Work that begins has the time that other work of the same turn has left. */
function beginTurn(): void {
  if (isBegun) return
  isBegun = true
  turnEnd = performance.now() + TURN
  setImmediate(() => {
    isBegun = false
  })
}
