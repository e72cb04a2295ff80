import { setTimeout as sleep } from 'node:timers/promises'
import type { Tracer } from '../../support/tools.js'
import type { Findings, Size } from '../fault.js'
import type { Stage } from '../stage.js'
import type { Step } from './step.js'
import { onTargets, shuffled, Target, UnsafeCommit } from './target.js'

const TARGETS = 3
/** Milliseconds after the reply in which the last call of a change is made, on a busy machine too. */
const AFTERMATH = 5_000

/** How many injections there are at most, and up to which commit after the attaching. */
export type Extents = Readonly<Record<Size, { readonly injections: number; readonly commits: number }>>

/** What is injected into the calls of the commits, and what must hold then. */
export interface EachStep<Injection> {
  readonly found: Readonly<Record<string, number>>
  readonly problems: string[]
  injectionsAt(step: Step, commit: number): readonly Injection[]
  attempt(target: Target, injection: Injection): Promise<void>
  finish(targets: readonly Target[]): Promise<void>
}

/** Tries injections at every step: in the first commit, then in the second, and so on; of a few only, other ones each time. */
export async function runEachStep<I>(stage: Stage, extent: Extents[Size], trial: EachStep<I>): Promise<Findings> {
  const targets = Array.from({ length: TARGETS }, (_, index) => new Target(stage, `target-${index}`))
  try {
    await Promise.all(targets.map((target) => target.service()))
    const steps = (await targets[0]?.steps()) ?? []
    const plan = Array.from({ length: extent.commits }, (_, index) =>
      shuffled(steps.flatMap((step) => trial.injectionsAt(step, index + 1))),
    )
    await onTargets(targets, plan.flat().slice(0, extent.injections), (target, one) => trial.attempt(target, one))
    await trial.finish(targets)
  } catch (error) {
    if (!(error instanceof UnsafeCommit)) throw error
    trial.problems.push(error.message)
  }
  return { counts: { ...trial.found, violations: trial.problems.length }, problems: trial.problems }
}

export function hitsIn(tracer: Tracer, sign: string): number {
  return tracer.output().split(sign).length - 1
}

/** True once an injection has taken effect: what is removed after the reply may be hit a moment after it. */
export async function hasHit(tracer: Tracer, sign: string): Promise<boolean> {
  const deadline = performance.now() + AFTERMATH
  while (hitsIn(tracer, sign) === 0 && performance.now() < deadline) await sleep(10)
  return hitsIn(tracer, sign) > 0
}
