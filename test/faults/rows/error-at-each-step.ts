import { setTimeout as sleep } from 'node:timers/promises'
import type { Reply } from '../../support/http/client.js'
import { whyNotAttach } from '../../support/tools.js'
import type { Change } from '../commit-steps/change.js'
import { type Asked, type EachStep, type Extents, runEachStep } from '../commit-steps/each-step.js'
import { describeStep, type Injection, type Step, type Target } from '../commit-steps/target.js'
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
const END_LIMIT = 3000

export const errorAtEachStep: Fault = {
  name: 'error-at-each-step',
  how: `${ERRORS.join(', ')} by strace at each file call of a report, a creation and a deletion, once or from then on`,
  whyNot: whyNotAttach,
  run: (stage, size) => runEachStep(stage, EXTENTS[size], new ErrorAtEachStep()),
}

class ErrorAtEachStep implements EachStep {
  readonly sign = '(INJECTED)'
  readonly found = { injections: 0, 'errors that hit': 0, refused: 0, survived: 0, ended: 0 }
  readonly problems: string[] = []

  injectionsAt(step: Step, commit: number): readonly Injection[] {
    if (!step.onFile) return []
    return ERRORS.flatMap((error) => [false, true].map((lasts) => ({ step, commit, what: `error=${error}`, lasts })))
  }

  async finish(targets: readonly Target[]): Promise<void> {
    if (this.found['errors that hit'] < this.found.injections) this.problems.push('not all errors did hit')
    await Promise.all(targets.map((target) => this.startAnew(target)))
  }

  async check(target: Target, injection: Injection, asked: readonly Asked[], isHit: boolean): Promise<void> {
    this.found.injections += 1
    if (isHit) this.found['errors that hit'] += 1
    for (const one of asked) {
      this.report(injection, one.change, wrongsOf(injection, one))
      if (one.hit && one.reply !== null) this.found[one.reply.status < 300 ? 'survived' : 'refused'] += 1
    }
    if (asked.some(isInDoubt)) await this.checkEnd(target, injection)
    for (const { change } of asked.slice(-1)) this.report(injection, change, await target.problemsOf(change))
    await this.checkServing(target, injection)
  }

  /** In doubt, the service ends, non-zero. */
  private async checkEnd(target: Target, { step, what }: Injection): Promise<void> {
    const { ended } = await target.service()
    const code = await Promise.race([ended, sleep(END_LIMIT, 'alive' as const)])
    if (code === 'alive' || code === 0) this.problems.push(`${what} at ${describeStep(step)}: in doubt, but ${code}`)
    else this.found.ended += 1
    await target.restart()
  }

  private async checkServing(target: Target, injection: Injection): Promise<void> {
    const [make] = await target.prepare('report', 1)
    const change = make?.()
    if (change === undefined) return
    const reply = await change.send(await target.service()).catch(() => null)
    const serves = reply?.status === 200 && change.stateOf(target.onDisk(change.campaign)) === 'new'
    if (!serves) this.report(injection, change, [`afterwards it was answered ${reply?.status} ${reply?.text}`])
  }

  private async startAnew(target: Target): Promise<void> {
    await target.restart()
    for (const name of target.leftovers()) this.problems.push(`left behind: ${name}`)
  }

  private report({ step, what, lasts }: Injection, change: Change, wrongs: readonly string[]): void {
    const where = `${what}${lasts ? ' from' : ' at'} ${describeStep(step)}, ${change.describe()}`
    this.problems.push(...wrongs.map((wrong) => `${where}: ${wrong}`))
  }
}

function wrongsOf({ step, what }: Injection, { reply, state, hit, hitBefore }: Asked): string[] {
  if (state === null) return ['neither old nor new']
  if (reply === null) return []
  const answer = `${reply.status} ${reply.text}`
  if (reply.status < 300) {
    if (state !== 'new') return [`acknowledged, but not there: ${answer}`]
    return hit && step.call.includes('sync') ? [`acknowledged, but not flushed: ${answer}`] : []
  }
  if (!hit && !hitBefore) return [`refused for no reason: ${answer}`]
  const code = codeOf(reply)
  if (code === UNKNOWN) return reply.status === 503 ? [] : [`answered ${answer}`]
  if (!UNCHANGED.includes(code)) return [`answered ${answer}`]
  // What comes after the store has stopped is refused in a general way.
  if (!hitBefore && reply.status !== (what === 'error=ENOSPC' ? 507 : 503)) return [`answered ${answer}`]
  return state === 'old' ? [] : [`said to be unchanged, but it is new: ${answer}`]
}

function isInDoubt({ reply }: Asked): boolean {
  return reply === null || codeOf(reply) === UNKNOWN
}

function codeOf(reply: Reply): unknown {
  return reply.status < 400 ? null : reply.json<{ readonly code: unknown }>().code
}
