import { type Evidence, gatherEvidence } from './evidence.js'
import { Fold, type Position, type Step } from './fold.js'
import type { History, State, Violation } from './history.js'

/** Dead ends after which the search for an explanation is given up. A true history needs a few dozen at most. */
const MAX_DEAD_ENDS = 20_000

/**
 * Checks that a history is linearizable and leads to the final state.
 * @returns what is wrong with single replies; when nothing is, the first revision that cannot be explained, if there is one
 */
export function checkHistory<C, R>(history: History<C, R>, finalState: State<C>): Violation[] {
  const evidence = gatherEvidence(history, finalState)
  if (evidence.violations.length > 0) return [...evidence.violations]
  const violation = foldRevisions(history, evidence)
  return violation === null ? [] : [violation]
}

/**
 * Looks for an operation for every revision; only lost operations leave a choice, so that it may have to go back.
 * @returns null when there is such a fold, else the obstacle furthest on
 */
function foldRevisions<C, R>(history: History<C, R>, evidence: Evidence<C, R>): Violation | null {
  const fold = new Fold(history, evidence)
  const branches: { readonly position: Position<C, R>; readonly step: Step<C, R> }[] = []
  let position = fold.begin()
  let furthest: { readonly revision: number; readonly violation: Violation } | null = null
  let deadEnds = 0
  while (position.revision < evidence.finalRevision) {
    const [step, ...others] = fold.steps(position)
    if (step !== undefined) {
      const here = position
      branches.push(...others.reverse().map((other) => ({ position: here, step: other })))
      // A copy for each revision would be quadratic: only one that may be come back to is kept.
      position = fold.apply(position, step, others.length > 0)
      continue
    }
    if (furthest === null || position.revision > furthest.revision) {
      furthest = { revision: position.revision, violation: fold.obstacle(position) }
    }
    deadEnds += 1
    const branch = branches.pop()
    if (branch === undefined) return furthest.violation
    if (deadEnds > MAX_DEAD_ENDS) {
      const { rule, message } = furthest.violation
      return { rule, message: `${message} (the search was given up: there may be an explanation)` }
    }
    position = fold.apply(branch.position, branch.step, true)
  }
  return null
}
