import { whyNotAttach } from '../../support/tools.js'
import type { Change } from '../commit-steps/change.js'
import { type EachStep, type Extents, hasHit, runEachStep } from '../commit-steps/each-step.js'
import { describeStep, type Step } from '../commit-steps/step.js'
import type { Target } from '../commit-steps/target.js'
import type { Fault } from '../fault.js'

const EXTENTS: Extents = {
  short: { injections: 6, commits: 1 },
  middle: { injections: 30, commits: 2 },
  full: { injections: Infinity, commits: 4 },
}
/** Ends the trace of the thread that was killed. */
const SIGN = 'killed by SIGKILL'

export const killAtEachStep: Fault = {
  name: 'kill-at-each-step',
  how: 'SIGKILL by strace at each system call of a report, a creation and a deletion, restart, old or new',
  whyNot: whyNotAttach,
  run: (stage, size) => runEachStep(stage, EXTENTS[size], new KillAtEachStep()),
}

interface Injection {
  readonly step: Step
  readonly commit: number
}

interface Asked {
  readonly change: Change
  readonly acknowledged: boolean
}

class KillAtEachStep implements EachStep<Injection> {
  readonly found = { injections: 0, 'kills that hit': 0, acknowledged: 0, old: 0, new: 0 }
  readonly problems: string[] = []
  private readonly missed: string[] = []

  injectionsAt(step: Step, commit: number): readonly Injection[] {
    return [{ step, commit }]
  }

  finish(): Promise<void> {
    if (this.found['kills that hit'] * 2 < this.found.injections) {
      this.problems.push(`most kills did not hit: ${this.missed.join(', ')}`)
    }
    return Promise.resolve()
  }

  async attempt(target: Target, { step, commit }: Injection): Promise<void> {
    const makers = await target.prepare(step.commit, commit)
    const when = step.nth + (commit - 1) * step.of
    const service = await target.service()
    const tracer = await target.inject(step, `signal=SIGKILL:when=${when}`)
    this.found.injections += 1
    const asked: Asked[] = []
    for (const make of makers) {
      const change = make()
      const reply = await change.send(service).catch(() => null)
      asked.push({ change, acknowledged: reply !== null && reply.status < 300 })
      if (reply === null) break
      if (reply.status >= 300) this.violation(step, change, `answered ${reply.status} ${reply.text}`)
    }
    // The trace says so: on a busy machine the end of the process is known only long after that of the connection.
    if (await hasHit(tracer, SIGN)) this.found['kills that hit'] += 1
    else this.missed.push(describeStep(step))
    await tracer.detach()
    await target.restart()
    this.found.acknowledged += asked.filter(({ acknowledged }) => acknowledged).length
    // Reports build on each other: the last one shows all.
    const checked = step.commit === 'report' ? asked.slice(-1) : asked
    for (const one of checked) await this.check(target, step, one)
    for (const name of target.leftovers()) this.problems.push(`killed at ${describeStep(step)}: left behind: ${name}`)
  }

  private async check(target: Target, step: Step, { change, acknowledged }: Asked): Promise<void> {
    const state = change.stateOf(target.onDisk(change.campaign))
    if (state !== null) this.found[state] += 1
    if (acknowledged && state !== 'new') this.violation(step, change, 'acknowledged, but not there')
    for (const problem of await target.problemsOf(change)) this.violation(step, change, problem)
  }

  private violation(step: Step, change: Change, what: string): void {
    this.problems.push(`killed at ${describeStep(step)}, ${change.describe()}: ${what}`)
  }
}
