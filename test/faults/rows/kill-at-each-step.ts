import type { Reply } from '../../support/http/client.js'
import { whyNotAttach } from '../../support/tools.js'
import type { Change } from '../commit-steps/change.js'
import { type Asked, type EachStep, type Extents, runEachStep } from '../commit-steps/each-step.js'
import { describeStep, type Injection, type Step, type Target } from '../commit-steps/target.js'
import type { Fault } from '../fault.js'

const EXTENTS: Extents = {
  short: { injections: 6, commits: 1 },
  middle: { injections: 30, commits: 2 },
  full: { injections: Infinity, commits: 4 },
}

export const killAtEachStep: Fault = {
  name: 'kill-at-each-step',
  how: 'SIGKILL by strace at each system call of a report, a creation and a deletion, restart, old or new',
  whyNot: whyNotAttach,
  run: (stage, size) => runEachStep(stage, EXTENTS[size], new KillAtEachStep()),
}

class KillAtEachStep implements EachStep {
  readonly sign = 'killed by SIGKILL'
  readonly found = { injections: 0, 'kills that hit': 0, acknowledged: 0, old: 0, new: 0 }
  readonly problems: string[] = []
  private readonly missed: string[] = []

  injectionsAt(step: Step, commit: number): readonly Injection[] {
    return [{ step, commit, what: 'signal=SIGKILL', lasts: false }]
  }

  finish(): Promise<void> {
    if (this.found['kills that hit'] * 2 < this.found.injections) {
      this.problems.push(`most kills did not hit: ${this.missed.join(', ')}`)
    }
    return Promise.resolve()
  }

  async check(target: Target, { step }: Injection, asked: readonly Asked[], isHit: boolean): Promise<void> {
    this.found.injections += 1
    if (isHit) this.found['kills that hit'] += 1
    else this.missed.push(describeStep(step))
    await target.restart()
    for (const { change, reply } of asked) {
      if (isAcknowledged(reply)) this.found.acknowledged += 1
      else if (reply !== null) this.violation(step, change, `answered ${reply.status} ${reply.text}`)
    }
    // Reports build on each other: the last one shows all.
    const checked = step.commit === 'report' ? asked.slice(-1) : asked
    for (const one of checked) await this.compare(target, step, one)
    for (const name of target.leftovers()) this.problems.push(`killed at ${describeStep(step)}: left behind: ${name}`)
  }

  private async compare(target: Target, step: Step, { change, reply }: Asked): Promise<void> {
    const state = change.stateOf(target.onDisk(change.campaign))
    if (state !== null) this.found[state] += 1
    if (isAcknowledged(reply) && state !== 'new') this.violation(step, change, 'acknowledged, but not there')
    for (const problem of await target.problemsOf(change)) this.violation(step, change, problem)
  }

  private violation(step: Step, change: Change, what: string): void {
    this.problems.push(`killed at ${describeStep(step)}, ${change.describe()}: ${what}`)
  }
}

function isAcknowledged(reply: Reply | null): boolean {
  return reply !== null && reply.status < 300
}
