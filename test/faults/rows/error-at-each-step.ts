import { setTimeout as sleep } from 'node:timers/promises'
import type { Reply } from '../../support/http/client.js'
import type { Service } from '../../support/service/service-process.js'
import type { Tracer } from '../../support/tools.js'
import type { Change } from '../commit-steps/change.js'
import { runEachStep, type EachStep, type Extents } from '../commit-steps/each-step.js'
import type { Lane } from '../commit-steps/lane.js'
import { describeStep, type Step } from '../commit-steps/step.js'
import type { Fault } from '../fault.js'

const EXTENTS: Extents = {
  short: { injections: 6, commits: 1 },
  middle: { injections: 30, commits: 2 },
  full: { injections: Infinity, commits: 2 },
}
const ERRORS = ['EIO', 'ENOSPC', 'EROFS', 'EACCES', 'EMFILE']
/** Refusals that say that nothing was changed, and the one that says that it is not known. */
const UNCHANGED: readonly unknown[] = ['store-full', 'store-unavailable']
const UNKNOWN = 'durability-unknown'
/** Milliseconds within which a service in doubt has to end. */
const LAST_WORDS = 3000
/** Milliseconds after its answer in which the last call of a change is made. */
const AFTERMATH = 1000

/** Every system call of a commit fails, once or from then on. */
export const errorAtEachStep: Fault = {
  name: 'error-at-each-step',
  how: `${ERRORS.join(', ')} by strace at each file call of a report, a creation and a deletion, once or from then on`,
  run: (size) => runEachStep('error-step', EXTENTS[size], new ErrorAtEachStep()),
}

interface Injection {
  readonly step: Step
  readonly error: string
  /** In which commit from the attaching it hits. */
  readonly commit: number
  /** Whether it fails from then on. */
  readonly lasts: boolean
}

/** A change that was asked for, and how it was answered: null when the connection broke. */
interface Asked {
  readonly change: Change
  readonly reply: Reply | null
}

class ErrorAtEachStep implements EachStep<Injection> {
  readonly found = { injections: 0, 'errors that hit': 0, refused: 0, survived: 0, ended: 0 }
  readonly problems: string[] = []

  injectionsAt(step: Step, commit: number): readonly Injection[] {
    if (!step.onFile) return []
    return ERRORS.flatMap((error) => [false, true].map((lasts) => ({ step, error, commit, lasts })))
  }

  async finish(lanes: readonly Lane[]): Promise<void> {
    if (this.found['errors that hit'] < this.found.injections) this.problems.push('not all errors did hit')
    await Promise.all(lanes.map((lane) => this.startAnew(lane)))
  }

  async attempt(lane: Lane, injection: Injection): Promise<void> {
    const { step, error, commit, lasts } = injection
    // One more, to see that it still refuses when the error lasts.
    const makers = await lane.prepare(step.commit, lasts ? commit + 1 : commit)
    const service = await lane.service()
    const when = `${step.nth + (commit - 1) * step.of}${lasts ? '+' : ''}`
    const tracer = await lane.inject(step, `error=${error}:when=${when}`)
    this.found.injections += 1
    const asked: Asked[] = []
    for (const make of makers) {
      asked.push(await this.ask(lane, injection, service, tracer, make()))
      if (asked.at(-1)?.reply === null) break
    }
    if (await hasHit(tracer)) this.found['errors that hit'] += 1
    await tracer.detach()
    if (asked.some(isInDoubt)) await this.seeItEnd(lane, injection, service)
    for (const { change } of asked.slice(-1)) this.report(injection, change, await lane.problemsOf(change))
    await this.seeItServe(lane, injection)
  }

  private async ask(
    lane: Lane,
    injection: Injection,
    service: Service,
    tracer: Tracer,
    change: Change,
  ): Promise<Asked> {
    const before = hits(tracer)
    const reply = await change.send(service).catch(() => null)
    const hit = hits(tracer) > before
    const state = change.stateOf(lane.onDisk(change.campaign))
    this.report(injection, change, wrongsOf(injection, reply, state, { hit, first: before === 0 }))
    if (hit && reply !== null) this.found[reply.status < 300 ? 'survived' : 'refused'] += 1
    return { change, reply }
  }

  /** What is past the point of no return ends the service, non-zero. */
  private async seeItEnd(lane: Lane, { step, error }: Injection, service: Service): Promise<void> {
    const code = await Promise.race([service.ended, sleep(LAST_WORDS, 'alive' as const)])
    if (code === 'alive' || code === 0) this.problems.push(`${error} at ${describeStep(step)}: in doubt, but ${code}`)
    else this.found.ended += 1
    await lane.restart()
  }

  private async seeItServe(lane: Lane, injection: Injection): Promise<void> {
    const [make] = await lane.prepare('report', 1)
    const change = make?.()
    if (change === undefined) return
    const reply = await change.send(await lane.service()).catch(() => null)
    const serves = reply?.status === 200 && change.stateOf(lane.onDisk(change.campaign)) === 'new'
    if (!serves) this.report(injection, change, [`afterwards it was answered ${reply?.status} ${reply?.text}`])
  }

  /** What may lie there until the next start must be gone after it. */
  private async startAnew(lane: Lane): Promise<void> {
    await lane.restart()
    for (const name of lane.litter()) this.problems.push(`left behind: ${name}`)
  }

  private report({ step, error, lasts }: Injection, change: Change, wrongs: readonly string[]): void {
    const where = `${error}${lasts ? ' from' : ' at'} ${describeStep(step)}, ${change.describe()}`
    this.problems.push(...wrongs.map((wrong) => `${where}: ${wrong}`))
  }
}

function wrongsOf(
  { step, error }: Injection,
  reply: Reply | null,
  state: 'old' | 'new' | null,
  { hit, first }: { readonly hit: boolean; readonly first: boolean },
): string[] {
  if (state === null) return ['neither old nor new']
  if (reply === null) return []
  const told = `${reply.status} ${reply.text}`
  if (reply.status < 300) {
    if (state !== 'new') return [`acknowledged, but not there: ${told}`]
    return hit && step.call.includes('sync') ? [`acknowledged, but not flushed: ${told}`] : []
  }
  if (first && !hit) return [`refused for no reason: ${told}`]
  const code = codeOf(reply)
  if (code === UNKNOWN) return reply.status === 503 ? [] : [`answered ${told}`]
  if (!UNCHANGED.includes(code)) return [`answered ${told}`]
  // What comes after the store has stopped is told no more than that.
  if (first && reply.status !== (error === 'ENOSPC' ? 507 : 503)) return [`answered ${told}`]
  return state === 'old' ? [] : [`said to be unchanged, but it is new: ${told}`]
}

function isInDoubt({ reply }: Asked): boolean {
  return reply === null || codeOf(reply) === UNKNOWN
}

function codeOf(reply: Reply): unknown {
  return reply.status < 400 ? null : reply.json<{ readonly code: unknown }>().code
}

function hits(tracer: Tracer): number {
  return tracer.output().split('(INJECTED)').length - 1
}

/** What is cleared away after the answer may be hit a moment after it. */
async function hasHit(tracer: Tracer): Promise<boolean> {
  const deadline = performance.now() + AFTERMATH
  while (hits(tracer) === 0 && performance.now() < deadline) await sleep(10)
  return hits(tracer) > 0
}
