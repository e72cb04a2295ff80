import { copyOfExperiment } from '../experiment/experiment.ts'
import { shrink } from '../experiment/shrink.ts'
import { type ExperimentSequence, lineSize } from '../indexes/experiment-sequence.ts'
import type { WorkerRuns } from '../indexes/worker-runs.ts'
import { isBreak, type LongWork } from '../long-work.ts'

/** Experiments that one decision may cut for each that it changes: more than the stages that one can ever need. */
const CUT_FOR_ONE = 8

/** How far experiments are cut, in bytes of their lines. */
export interface Shrinking {
  /** Down to here. */
  readonly goal: number
  /** Here it may stop all the same, once it has cut `most`. */
  readonly atMost: number
  readonly most: number
  /** The revision in which they are cut. */
  readonly revision: number
  /** How workers ended their runs, of which the oldest may go. */
  readonly workers: WorkerRuns
}

interface Shrunk {
  readonly experiments: ExperimentSequence
  readonly workers: WorkerRuns
  /** How many experiments were cut. */
  readonly shrunk: number
}

/** How many experiments a decision may cut that changes so many: bounded, and still more than will ever have to be cut for them. */
export function mostToCut(changed: number): number {
  return (changed + 1) * CUT_FOR_ONE
}

/**
 * Cuts what is missed least, stage by stage, of the experiments that changed longest ago first. What is cut depends on the experiments
 * alone: it is the same after a restart. It ends too when nothing is left to cut.
 *
 * @param lines gets the JSON of those that were cut, by position
 */
export function* shrinkExperiments(
  experiments: ExperimentSequence,
  lines: Map<number, string>,
  { goal, atMost, most, revision, ...given }: Shrinking,
): LongWork<Shrunk> {
  const cut = new Set<number>()
  let smaller = experiments
  let { workers } = given
  for (let steps = 0; smaller.summary.bytes > goal; steps += 1) {
    const position = steps >= most && smaller.summary.bytes <= atMost ? -1 : smaller.nextToShrink()
    if (position === -1) break
    const before = smaller.at(position)
    const after = { ...Object.assign(copyOfExperiment(before), shrink(before)), revision }
    if (after.attempts.length !== before.attempts.length) workers = workers.with(position, before, after)
    const json = JSON.stringify(after)
    smaller = smaller.replace(position, after, lineSize(json))
    // Removed first, so that it comes last, as what changed last.
    lines.delete(position)
    lines.set(position, json)
    cut.add(position)
    if (isBreak(steps)) yield
  }
  return { experiments: smaller, workers, shrunk: cut.size }
}
