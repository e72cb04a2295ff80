import { setTimeout as sleep } from 'node:timers/promises'
import { whyNotAttach } from '../../support/tools.js'
import type { Change } from '../commit-steps/change.js'
import { Lane, onLanes, shuffled, UnsafeCommit } from '../commit-steps/lane.js'
import { describeStep, type Step } from '../commit-steps/step.js'
import type { Fault, Size } from '../fault.js'
import { onStage, type Findings, type Stage } from '../stage.js'

const LANES = 3
/** How many injections there are at most, and up to which commit after the attaching. */
const EXTENTS: Readonly<Record<Size, { readonly injections: number; readonly commits: number }>> = {
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
  run: async (size) => {
    const because = await whyNotAttach()
    if (because !== null) return { kind: 'skipped', because }
    return onStage('kill-step', (stage) => new KillAtEachStep().run(stage, size))
  },
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

class KillAtEachStep {
  private readonly found = { injections: 0, 'kills that hit': 0, acknowledged: 0, old: 0, new: 0, violations: 0 }
  private readonly problems: string[] = []

  async run(stage: Stage, size: Size): Promise<Findings> {
    const lanes = Array.from({ length: LANES }, (_, index) => new Lane(stage, `lane-${index}`))
    try {
      await Promise.all(lanes.map((lane) => lane.service()))
      await onLanes(lanes, planOf(await lanes[0]?.steps(), size), (lane, injection) => this.attempt(lane, injection))
      if (this.found['kills that hit'] * 2 < this.found.injections) this.problems.push('most kills did not hit')
    } catch (error) {
      if (!(error instanceof UnsafeCommit)) throw error
      this.problems.push(error.message)
    }
    this.found.violations = this.problems.length
    return { counts: { ...this.found }, problems: this.problems }
  }

  private async attempt(lane: Lane, { step, commit }: Injection): Promise<void> {
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
    await tracer.detach()
    await lane.restart()
    this.found.acknowledged += asked.filter(({ acknowledged }) => acknowledged).length
    // Reports are made on top of each other: the last one tells of all.
    const judged = step.commit === 'report' ? asked.slice(-1) : asked
    for (const one of judged) await this.judge(lane, step, one)
    for (const name of lane.litter()) this.problems.push(`killed at ${describeStep(step)}: left behind: ${name}`)
  }

  private async judge(lane: Lane, step: Step, { change, acknowledged }: Asked): Promise<void> {
    const state = change.stateOf(lane.onDisk(change.campaign))
    if (state !== null) this.found[state] += 1
    if (acknowledged && state !== 'new') this.violation(step, change, 'acknowledged, but not there')
    for (const problem of await lane.problemsOf(change)) this.violation(step, change, problem)
  }

  private violation(step: Step, change: Change, what: string): void {
    this.problems.push(`killed at ${describeStep(step)}, ${change.describe()}: ${what}`)
  }
}

/** The first commit at each step, then the second, and so on; of a few only, other ones each time. */
function planOf(steps: readonly Step[] = [], size: Size): Injection[] {
  const { injections, commits } = EXTENTS[size]
  const plan = Array.from({ length: commits }, (_, index) =>
    shuffled(steps.map((step) => ({ step, commit: index + 1 }))),
  )
  return plan.flat().slice(0, injections)
}
