import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import { below, chance, type Draw } from '../seed.js'
import type { Seen } from './history.js'

export const EXPERIMENTS = 200
/** Half of the reports meet on so many experiments, the others are on any. */
const CONTESTED = 12
/** How many of the latest reports may be sent again by any client. */
const KEPT = 32

export interface Sending {
  readonly expId: string
  readonly report: ExperimentReport
}

/** Makes up reports that mostly fit what was last seen of an experiment, so that races and repeats are frequent. */
export class ReportSource {
  private readonly latest = new Map<string, Seen<Experiment>>()
  private readonly recent: Sending[] = []
  private readonly toRepeat = new Map<number, Sending>()
  private count = 0

  constructor(private readonly draw: Draw) {}

  learn(seen: Seen<Experiment>): void {
    const { exp_id } = seen.content
    if ((this.latest.get(exp_id)?.revision ?? 0) < seen.revision) this.latest.set(exp_id, seen)
  }

  /** The client does not know whether it happened: as a worker does, it sends it again. */
  repeatLater(client: number, sending: Sending): void {
    this.toRepeat.set(client, sending)
  }

  next(client: number): Sending {
    const unanswered = this.toRepeat.get(client)
    this.toRepeat.delete(client)
    if (unanswered !== undefined && chance(this.draw, 60)) return unanswered
    if (this.recent.length > 0 && chance(this.draw, 15)) return this.draw(fc.constantFrom(...this.recent))
    const sending = this.invent()
    this.recent.push(sending)
    if (this.recent.length > KEPT) this.recent.shift()
    return sending
  }

  private invent(): Sending {
    this.count += 1
    const number = 1 + this.draw(below(chance(this.draw, 50) ? CONTESTED : EXPERIMENTS))
    const expId = String(number).padStart(4, '0')
    const experiment = this.latest.get(expId)?.content
    if (experiment === undefined) throw new Error(`there is no experiment ${expId}`)
    const unique = `n${this.count}`
    // Rarely, since what is completed stays so; what was put back may be completed after all.
    const { status, attempt } = experiment
    if ((status === 'running' || (status === 'pending' && attempt > 0)) && chance(this.draw, 1)) {
      return { expId, report: { status: 'completed', attempt, result_path: unique } }
    }
    return { expId, report: this.draw(fc.constantFrom(...reportsOn(experiment, unique))) }
  }
}

/** Each has a status, since a refusal then shows the experiment. @param unique distinguishes this report from all others */
function reportsOn(experiment: Experiment, unique: string): readonly ExperimentReport[] {
  const { attempt } = experiment
  const worker = experiment.worker ?? unique
  const start = { status: 'running', worker: unique } as const
  const stale = { status: 'running', attempt: attempt + 3, result_path: unique } as const
  switch (experiment.status) {
    case 'pending':
      return [start, start, { ...start, attempt: attempt + 1 }, stale, { status: 'skipped', result_path: unique }]
    case 'running':
      return [
        ...Array<ExperimentReport>(8).fill({ status: 'running', attempt, result_path: unique }),
        { status: 'running', worker, result_path: unique },
        { status: 'failed', attempt, error: unique, failure_kind: 'oom' },
        { status: 'failed', worker, error: unique },
        { status: 'pending' },
        { ...stale, attempt: Math.max(0, attempt - 1) },
        start,
        { status: 'failed', worker: unique },
      ]
    case 'failed':
      return [
        start,
        start,
        { status: 'failed', attempt, error: unique },
        { status: 'pending' },
        { status: 'completed' },
      ]
    case 'completed':
      return [
        { status: 'completed', attempt, result_path: unique },
        { status: 'completed', result_path: unique },
        start,
      ]
    case 'skipped':
      return [{ status: 'pending' }, { status: 'skipped', result_path: unique }, start]
  }
}
