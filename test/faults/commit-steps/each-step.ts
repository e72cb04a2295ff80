import type { Reply } from '../../support/http/client.js'
import type { Tracer } from '../../support/tools.js'
import { until } from '../../support/until.js'
import type { Findings, Size } from '../fault.js'
import type { Stage } from '../stage.js'
import type { Change } from './change.js'
import { type Injection, onTargets, shuffled, type Step, Target, UnsafeCommit } from './target.js'

const TARGETS = 3
/** Milliseconds after the reply in which the last call of a change is made, on a busy machine too. */
const AFTERMATH = 5_000

/** How many injections there are at most, and up to which commit after the attaching. */
export type Extents = Readonly<Record<Size, { readonly injections: number; readonly commits: number }>>

/** A change that was asked for while a fault was injected. */
export interface Asked {
  readonly change: Change
  /** Null when the connection broke. */
  readonly reply: Reply | null
  /** What was on disk when it was answered. */
  readonly state: 'old' | 'new' | null
  /** Whether the injection took effect meanwhile, and whether it had before. */
  readonly hit: boolean
  readonly hitBefore: boolean
}

/** What is injected into the calls of the commits, and what must hold then. */
export interface EachStep {
  readonly found: Readonly<Record<string, number>>
  readonly problems: string[]
  /** Stands in the trace for each time that an injection took effect. */
  readonly sign: string
  injectionsAt(step: Step, commit: number): readonly Injection[]
  /** Looks at what was asked for, up to the one at which the connection broke. */
  check(target: Target, injection: Injection, asked: readonly Asked[], isHit: boolean): Promise<void>
  finish(targets: readonly Target[]): Promise<void>
}

/** Tries injections at every step: in the first commit, then in the second, and so on; of a few only, other ones each time. */
export async function runEachStep(stage: Stage, extent: Extents[Size], trial: EachStep): Promise<Findings> {
  const targets = Array.from({ length: TARGETS }, (_, index) => new Target(stage, `target-${index}`))
  try {
    await Promise.all(targets.map((target) => target.service()))
    const steps = (await targets[0]?.steps()) ?? []
    const plan = Array.from({ length: extent.commits }, (_, index) =>
      shuffled(steps.flatMap((step) => trial.injectionsAt(step, index + 1))),
    )
    await onTargets(targets, plan.flat().slice(0, extent.injections), (target, one) => attempt(target, one, trial))
    await trial.finish(targets)
  } catch (error) {
    if (!(error instanceof UnsafeCommit)) throw error
    trial.problems.push(error.message)
  }
  return { counts: { ...trial.found, violations: trial.problems.length }, problems: trial.problems }
}

async function attempt(target: Target, injection: Injection, trial: EachStep): Promise<void> {
  const { step, commit, lasts } = injection
  // One more, to see that it still refuses when the error lasts.
  const makers = await target.prepare(step.commit, lasts ? commit + 1 : commit)
  const service = await target.service()
  const tracer = await target.inject(injection)
  const asked: Asked[] = []
  for (const make of makers) {
    const change = make()
    const before = hitsIn(tracer, trial.sign)
    const reply = await change.send(service).catch(() => null)
    const hit = hitsIn(tracer, trial.sign) > before
    asked.push({ change, reply, state: change.stateOf(target.onDisk(change.campaign)), hit, hitBefore: before > 0 })
    if (reply === null) break
  }
  // What is removed after the reply may be hit a moment after it.
  const hits = until('it takes effect', () => hitsIn(tracer, trial.sign) > 0, AFTERMATH)
  const isHit = await hits.then(
    () => true,
    () => false,
  )
  await tracer.detach()
  await trial.check(target, injection, asked, isHit)
}

function hitsIn(tracer: Tracer, sign: string): number {
  return tracer.output().split(sign).length - 1
}
