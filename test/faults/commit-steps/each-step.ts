import { whyNotAttach } from '../../support/tools.js'
import type { Outcome, Size } from '../fault.js'
import { onStage } from '../stage.js'
import { Lane, onLanes, shuffled, UnsafeCommit } from './lane.js'
import type { Step } from './step.js'

const LANES = 3

/** How many injections there are at most, and up to which commit after the attaching. */
export type Extents = Readonly<Record<Size, { readonly injections: number; readonly commits: number }>>

/** What is injected into the calls of the commits, and what must hold then. */
export interface EachStep<Injection> {
  readonly found: Readonly<Record<string, number>>
  readonly problems: string[]
  /** Those at a step. */
  injectionsAt(step: Step, commit: number): readonly Injection[]
  attempt(lane: Lane, injection: Injection): Promise<void>
  /** Once all were tried. */
  finish(lanes: readonly Lane[]): Promise<void>
}

/** Tries injections at every step: in the first commit, then in the second, and so on; of a few only, other ones each time. */
export async function runEachStep<I>(name: string, extent: Extents[Size], trial: EachStep<I>): Promise<Outcome> {
  const because = await whyNotAttach()
  if (because !== null) return { kind: 'skipped', because }
  return onStage(name, async (stage) => {
    const lanes = Array.from({ length: LANES }, (_, index) => new Lane(stage, `lane-${index}`))
    try {
      await Promise.all(lanes.map((lane) => lane.service()))
      const steps = (await lanes[0]?.steps()) ?? []
      const plan = Array.from({ length: extent.commits }, (_, index) =>
        shuffled(steps.flatMap((step) => trial.injectionsAt(step, index + 1))),
      )
      await onLanes(lanes, plan.flat().slice(0, extent.injections), (lane, one) => trial.attempt(lane, one))
      await trial.finish(lanes)
    } catch (error) {
      if (!(error instanceof UnsafeCommit)) throw error
      trial.problems.push(error.message)
    }
    return { counts: { ...trial.found, violations: trial.problems.length }, problems: trial.problems }
  })
}
