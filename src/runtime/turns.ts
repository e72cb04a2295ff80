/**
 * Milliseconds of long work in one turn of the event loop, after which others get their turn: of all that is long together, since
 * with a time for each, many would hold up a turn.
 */
const TURN = 4

/** Steps of work that is short: it needs no clock. */
const SHORT = 4

/** Decisions and the reading of bodies, for which others wait; and responses, of which each is as fast as its client. */
type Kind = 'work' | 'response'

/** When the long work of this turn of the event loop is to end. */
let turnEnd = -Infinity
let isBegun = false

/** Those that wait for a turn. */
const waiting: Readonly<Record<Kind, (() => void)[]>> = { work: [], response: [] }
let isScheduled = false
let last: Kind = 'response'

/**
 * Does work that yields now and then: at once when it is short, else over several turns of the event loop.
 * @param until once it aborts, work that would need one more turn is given up: what is short is done all the same
 * @param kind of those that wait for a turn
 * @returns a plain value when it was done at once
 * @throws the reason of `until`, of work that is given up
 */
export function inTurns<T>(work: Iterator<void, T, void>, until?: AbortSignal, kind: Kind = 'work'): T | Promise<T> {
  for (let steps = 1; ; steps += 1) {
    const step = work.next()
    if (step.done === true) return step.value
    if (steps === SHORT) beginTurn()
    if (steps < SHORT || !isTurnOver()) continue
    // At once: of many that wait for each other, each would have a turn.
    until?.throwIfAborted()
    return continued(work, until, kind)
  }
}

/** Resolves when a response, or a piece of it, may be made: at once, unless the time of this turn of the event loop is used up. */
export async function turnForResponse(): Promise<void> {
  beginTurn()
  if (isTurnOver()) await shareOfTurn('response')
}

/** Resolves when one of many may go on that were woken together: one by one, since all would find that there is time. */
export function turnOfOne(): Promise<void> {
  return shareOfTurn('response')
}

async function continued<T>(work: Iterator<void, T, void>, until: AbortSignal | undefined, kind: Kind): Promise<T> {
  for (;;) {
    await shareOfTurn(kind)
    until?.throwIfAborted()
    do {
      const step = work.next()
      if (step.done === true) return step.value
    } while (!isTurnOver())
  }
}

function isTurnOver(): boolean {
  return performance.now() >= turnEnd
}

/** Waits for its share of a turn of the event loop. */
function shareOfTurn(kind: Kind): Promise<void> {
  return new Promise((resolve) => {
    waiting[kind].push(resolve)
    schedule()
  })
}

function schedule(): void {
  if (isScheduled || waiting.work.length + waiting.response.length === 0) return
  isScheduled = true
  setImmediate(() => {
    isScheduled = false
    openTurn()
    takeTurn()
  })
}

/** Those that wait go on, one after the other, while there is time. */
function takeTurn(): void {
  const next = isTurnOver() ? undefined : takeNext()
  if (next === undefined) {
    schedule()
    return
  }
  next()
  // Behind all that the one has still to do, which are promises: it may need the whole time.
  queueMicrotask(() => process.nextTick(takeTurn))
}

/** By turns of both kinds: hundreds of responses must not keep a decision waiting, nor the other way round. */
function takeNext(): (() => void) | undefined {
  last = last === 'work' ? 'response' : 'work'
  if (waiting[last].length === 0) last = last === 'work' ? 'response' : 'work'
  return waiting[last].shift()
}

/** Work that begins has the time that other work of the same turn has left. */
function beginTurn(): void {
  if (!isBegun) openTurn()
}

function openTurn(): void {
  isBegun = true
  turnEnd = performance.now() + TURN
  setImmediate(() => {
    isBegun = false
  })
}
