import { setTimeout as sleep } from 'node:timers/promises'
import type { Change } from '../commit-steps/change.js'
import { runEachStep, type EachStep, type Extents } from '../commit-steps/each-step.js'
import type { Lane } from '../commit-steps/lane.js'
import { describeStep, type Step } from '../commit-steps/step.js'
import type { Fault } from '../fault.js'

const EXTENTS: Extents = {
  short: { injections: 6, commits: 1 },
  middle: { injections: 30, commits: 2 },
  full: { injections: Infinity, commits: 4 },
}
/** Milliseconds that a step may come behind the answer. */
const REST = 200

/** The service is killed at every system call of a commit. */
export const killAtEachStep: Fault = {
  name: 'kill-at-each-step',
  how: 'SIGKILL by strace at each system call of a report, a creation and a deletion, restart, old or new',
  run: (size) => runEachStep('kill-step', EXTENTS[size], new KillAtEachStep()),
}

interface Injection {
  readonly step: Step
  /** In which commit from the attaching it hits. */
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

  async attempt(lane: Lane, { step, commit }: Injection): Promise<void> {
    const makers = await lane.prepare(step.commit, commit)
    const when = step.nth + (commit - 1) * step.of
    const service = await lane.service()
    const tracer = await lane.inject(step, `signal=SIGKILL:when=${when}`)
    this.found.injections += 1
    const asked: Asked[] = []
    for (const make of makers) {
      const change = make()
      const reply = await change.send(service).catch(() => null)
      asked.push({ change, acknowledged: reply !== null && reply.status < 300 })
      if (reply === null) break
      if (reply.status >= 300) this.violation(step, change, `answered ${reply.status} ${reply.text}`)
    }
    if (await Promise.race([service.ended.then(() => true), sleep(REST, false)])) this.found['kills that hit'] += 1
    else this.missed.push(describeStep(step))
    await tracer.detach()
    await lane.restart()
    this.found.acknowledged += asked.filter(({ acknowledged }) => acknowledged).length
    // Reports are made on top of each other: the last one tells of all.
    const checked = step.commit === 'report' ? asked.slice(-1) : asked
    for (const one of checked) await this.check(lane, step, one)
    for (const name of lane.litter()) this.problems.push(`killed at ${describeStep(step)}: left behind: ${name}`)
  }

  private async check(lane: Lane, step: Step, { change, acknowledged }: Asked): Promise<void> {
    const state = change.stateOf(lane.onDisk(change.campaign))
    if (state !== null) this.found[state] += 1
    if (acknowledged && state !== 'new') this.violation(step, change, 'acknowledged, but not there')
    for (const problem of await lane.problemsOf(change)) this.violation(step, change, problem)
  }

  private violation(step: Step, change: Change, what: string): void {
    this.problems.push(`killed at ${describeStep(step)}, ${change.describe()}: ${what}`)
  }
}
