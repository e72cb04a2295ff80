import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { WorkerNews } from './member.js'

type News<E extends WorkerNews['event']> = Extract<WorkerNews, { event: E }>

interface Told<E extends WorkerNews['event']> {
  readonly worker: string
  readonly news: News<E>
}

/** Refusals that a worker must be ready for, by what was refused. */
const EXPECTED = {
  report: ['stale-attempt', 'not-the-owner'],
  heartbeat: ['stale-attempt', 'not-the-owner', 'no-lease'],
} as const

/** All that the workers of a campaign were told, to be held against what its manifest says in the end. */
export class FleetLedger {
  readonly claims = new Map<string, string>()
  readonly completions = new Map<string, Told<'reported'>>()
  readonly refused: Told<'reported'>[] = []
  private readonly failures: Told<'reported'>[] = []
  /** By a refused heartbeat. */
  readonly stopped: Told<'stopped'>[] = []
  private readonly problems: string[] = []

  add(worker: string, news: WorkerNews): void {
    if (news.event === 'claimed') this.addClaim(worker, news)
    else if (news.event === 'reported') this.addReport(worker, news)
    else if (news.event === 'stopped') this.addStop(worker, news)
    else this.problems.push(`${worker} was answered ${news.http} ${news.code} to ${news.by}`)
  }

  /** How the reports of an attempt ended: refused, acknowledged, or not yet. */
  fateOf(expId: string, attempt: number): 'refused' | 'acknowledged' | null {
    const is = ({ news }: Told<'reported'>) => news.exp_id === expId && news.attempt === attempt
    if (this.refused.some(is)) return 'refused'
    const completion = this.completions.get(expId)
    return (completion !== undefined && is(completion)) || this.failures.some(is) ? 'acknowledged' : null
  }

  /** What is wrong with the campaign at its end. @param wasKilled true for a worker whose last reply may be missing here */
  close(experiments: readonly Experiment[], wasKilled: (worker: string) => boolean): string[] {
    const byId = new Map(experiments.map((experiment) => [experiment.exp_id, experiment]))
    for (const experiment of experiments) this.compare(experiment, wasKilled)
    for (const { worker, news } of this.failures) {
      const past = byId.get(news.exp_id)?.attempts.find(({ attempt }) => attempt === news.attempt)
      if (past?.worker !== worker || past.status !== 'failed' || past.failure_kind !== 'error') {
        this.problems.push(`the failure that ${nameOf(worker, news)} had acknowledged is ${JSON.stringify(past)}`)
      }
    }
    for (const { worker, news } of [...this.refused, ...this.stopped]) {
      // An attempt that was refused must have been given up: another one came after it.
      const current = byId.get(news.exp_id)?.attempt ?? 0
      if (current <= news.attempt)
        this.problems.push(`${nameOf(worker, news)} was refused, and no attempt came after it`)
    }
    return this.problems
  }

  private addClaim(worker: string, { exp_id, attempt }: News<'claimed'>): void {
    const key = keyOf(exp_id, attempt)
    const other = this.claims.get(key)
    if (other !== undefined) this.problems.push(`${key} was given to ${other} and to ${worker}`)
    this.claims.set(key, worker)
  }

  private addReport(worker: string, news: News<'reported'>): void {
    const told = { worker, news }
    if (news.http === 200 && news.status === 'failed') this.failures.push(told)
    else if (news.http === 200) {
      const other = this.completions.get(news.exp_id)
      if (other !== undefined) {
        this.problems.push(`completed for both: ${nameOf(other.worker, other.news)}, ${nameOf(worker, news)}`)
      }
      this.completions.set(news.exp_id, told)
    } else {
      this.refused.push(told)
      this.checkRefusal(worker, news, 'report')
    }
  }

  private addStop(worker: string, news: News<'stopped'>): void {
    this.stopped.push({ worker, news })
    this.checkRefusal(worker, news, 'heartbeat')
  }

  private checkRefusal(worker: string, news: News<'reported' | 'stopped'>, what: keyof typeof EXPECTED): void {
    const { http, code } = news
    const expected: readonly (string | null)[] = EXPECTED[what]
    if (http === 409 && expected.includes(code)) return
    this.problems.push(`a ${what} of ${nameOf(worker, news)} was answered ${http} ${code}`)
  }

  private compare(experiment: Experiment, wasKilled: (worker: string) => boolean): void {
    const { exp_id, status, attempt, attempts, worker, result_path } = experiment
    const all = [...attempts, experiment]
    const completed = all.filter((one) => one.status === 'completed').length
    if (status !== 'completed' || completed !== 1) {
      this.problems.push(`${exp_id} is ${status}, with ${completed} completed attempts`)
    }
    for (const [index, one] of all.entries()) {
      if (one.attempt !== attempt - attempts.length + index) this.problems.push(`${exp_id} lacks an attempt`)
      this.compareClaim(exp_id, one)
    }
    const acknowledged = this.completions.get(exp_id)
    if (acknowledged === undefined) {
      if (worker === null || !wasKilled(worker)) this.problems.push(`${exp_id}: ${worker} never told of its completion`)
      return
    }
    const { news } = acknowledged
    if (news.attempt !== attempt || acknowledged.worker !== worker || news.result_path !== result_path) {
      const is = `${worker}, attempt ${attempt}, ${result_path}`
      this.problems.push(`what ${nameOf(acknowledged.worker, news)} had acknowledged is ${is}`)
    }
  }

  /** An attempt belongs to the worker that was told of it. When none was, since the reply came too late, it can only be lost. */
  private compareClaim(
    expId: string,
    { attempt, worker, failure_kind }: Pick<Experiment, 'attempt' | 'worker' | 'failure_kind'>,
  ): void {
    const key = keyOf(expId, attempt)
    const holder = this.claims.get(key)
    if (holder === undefined && failure_kind === 'lost') return
    if (holder !== worker)
      this.problems.push(`${key} was given to ${holder ?? 'no worker'}, but has the worker ${worker}`)
  }
}

function keyOf(expId: string, attempt: number): string {
  return `attempt ${attempt} of ${expId}`
}

function nameOf(worker: string, { exp_id, attempt }: News<'reported' | 'stopped'>): string {
  return `${keyOf(exp_id, attempt)} by ${worker}`
}
