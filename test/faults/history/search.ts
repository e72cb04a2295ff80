import type { Evidence } from './evidence.js'
import { Fold, type Position, type Step } from './fold.js'
import type { History, Violation } from './history.js'

/** Dead ends after which the search for an explanation is given up. A true history needs a few dozen at most. */
const MAX_DEAD_ENDS = 20_000

interface Branch<Content, Report> {
  readonly position: Position<Content, Report>
  readonly step: Step<Content, Report>
}

/**
 * Looks for an operation for every revision, so that the contents seen are their fold and the instants are in order.
 * Only lost operations leave a choice: it goes back and takes another one when it comes to a dead end.
 *
 * @returns null when there is such a fold, else the obstacle furthest on
 */
export function foldRevisions<Content, Report>(
  history: History<Content, Report>,
  evidence: Evidence<Content, Report>,
): Violation | null {
  const fold = new Fold(history, evidence)
  const branches: Branch<Content, Report>[] = []
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
    if (deadEnds > MAX_DEAD_ENDS) return givenUp(furthest.violation)
    position = fold.apply(branch.position, branch.step, true)
  }
  return null
}

function givenUp({ rule, message }: Violation): Violation {
  return { rule, message: `${message} (the search was given up: there may be an explanation)` }
}
