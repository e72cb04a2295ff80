import { gatherEvidence } from './evidence.js'
import type { History, State, Violation } from './history.js'
import { foldRevisions } from './search.js'

/**
 * Checks that a history is linearizable and that the state at the end is what it leads to.
 *
 * @returns what is wrong with single answers; when nothing is, at most one: the first revision that cannot be explained
 */
export function checkHistory<Content, Report>(
  history: History<Content, Report>,
  finalState: State<Content>,
): Violation[] {
  const evidence = gatherEvidence(history, finalState)
  if (evidence.violations.length > 0) return [...evidence.violations]
  const violation = foldRevisions(history, evidence)
  return violation === null ? [] : [violation]
}
