import type { Experiment, PastAttempt } from '#campaignd/domain/experiment/experiment.js'
import type { PlainCampaign } from './campaign-model.js'

const TEN_MINUTES = 600_000
const FAULTS: readonly unknown[] = ['error', 'timeout', 'oom', 'lost']

interface WorkerRun {
  readonly position: number
  readonly of: Experiment
  readonly attempt: number
  readonly failure_kind: PastAttempt['failure_kind']
  readonly isRunning: boolean
  readonly isHeld: boolean
  /** Milliseconds since 1970; 0: not known. */
  readonly started: number
  readonly ended: number
  /** By which they are ordered. */
  readonly time: number
}

/** Until when a worker is benched, or that it may try one experiment; null: it is neither. */
export function benchOf(campaign: PlainCampaign, worker: string, now: string): number | 'on trial' | null {
  const present = presentOf(campaign, now)
  const failure = endedRuns(campaign, worker).at(-1)
  if (failure === undefined || !onlyFails(campaign, worker)) return null
  if (!workersOf(campaign).some((one) => isAtWork(campaign, one, present, failure.of))) return null
  const until = lastSeen(campaign, worker, present) + TEN_MINUTES
  if (until > present) return until
  const runs = runsOf(campaign, worker)
  const isTrying = runs.some(({ isHeld }) => isHeld) && runs.some(({ started }) => started > failure.time)
  return isTrying ? present + 60_000 : 'on trial'
}

/** What the list of workers says of them. */
export function benchedIn(campaign: PlainCampaign, now: string): readonly { readonly worker: string }[] {
  return workersOf(campaign)
    .sort()
    .flatMap((worker) => {
      const until = benchOf(campaign, worker, now)
      if (typeof until !== 'number') return []
      const ended = endedRuns(campaign, worker)
      const failures = failuresOf(campaign, worker)
      const { of: experiment, failure_kind } = ended.at(-1) ?? {}
      const benched_until = new Date(until).toISOString()
      return [{ worker, benched_until, failures, exp_id: experiment?.exp_id, failure_kind }]
    })
}

/** The times of liftings, with one for the worker. Null: it never ran; the very same: it does not fail at everything. */
export function lifted(campaign: PlainCampaign, worker: string, now: string): PlainCampaign['bench_lifted'] | null {
  const { bench_lifted } = campaign
  const hasRun = (one: Experiment) => [one, ...one.attempts].some((run) => run.worker === worker)
  if (!campaign.experiments.some(hasRun)) return null
  const last = endedRuns(campaign, worker).at(-1)
  if (last === undefined || !FAULTS.includes(last.failure_kind)) return bench_lifted
  const newest = last.time
  if (newest <= Date.parse(bench_lifted[worker] ?? '1969-01-01T00:00:00Z')) return bench_lifted
  const at = newest > Date.parse(now) ? new Date(newest).toISOString() : now
  const isStillOfUse = ([name, time]: [string, string]) => {
    const ended = endedRuns(campaign, name)
    const failures = ended.slice(ended.findLastIndex((run) => !FAULTS.includes(run.failure_kind)) + 1)
    return failures.some((run) => run.time <= Date.parse(time))
  }
  return { ...Object.fromEntries(Object.entries(bench_lifted).filter(isStillOfUse)), [worker]: at }
}

function isAtWork(campaign: PlainCampaign, worker: string, present: number, like: Experiment): boolean {
  const latest = runsOf(campaign, worker).reduce((a, b) => (b.started >= a.started ? b : a))
  if (latest.of.backend !== like.backend || latest.of.container !== like.container) return false
  const isHolding = runsOf(campaign, worker).some(({ isHeld }) => isHeld)
  return (isHolding || lastSeen(campaign, worker, present) >= present - TEN_MINUTES) && !onlyFails(campaign, worker)
}

function onlyFails(campaign: PlainCampaign, worker: string): boolean {
  const { worker_failure_limit: limit } = campaign.settings
  const newest = endedRuns(campaign, worker).slice(-limit)
  if (limit === 0 || newest.length < limit) return false
  const since = Date.parse(campaign.bench_lifted[worker] ?? '1969-01-01T00:00:00Z')
  const isWitness = (name: string | null) => name === null || (name !== worker && failuresOf(campaign, name) < limit)
  const isItsOwn = ({ of: one }: WorkerRun) =>
    ![one, ...one.attempts].some((run) => isWitness(run.worker) && FAULTS.includes(kindOf(run)))
  return newest.every((run) => FAULTS.includes(run.failure_kind) && run.time > since && isItsOwn(run))
}

/** What a clock told that is ahead is not believed. */
/** How many of its newest runs failed, one after the other. */
function failuresOf(campaign: PlainCampaign, worker: string): number {
  const ended = endedRuns(campaign, worker)
  return ended.length - 1 - ended.findLastIndex((run) => !FAULTS.includes(run.failure_kind))
}

function lastSeen(campaign: PlainCampaign, worker: string, present: number): number {
  const seen = (key: 'started' | 'ended') => Math.max(...runsOf(campaign, worker).map((run) => run[key]))
  const believed = [seen('started'), seen('ended')].filter((time) => time <= present + TEN_MINUTES)
  return Math.max(...believed.map((time) => Math.min(time, present)), 0)
}

function presentOf({ updated_at }: PlainCampaign, now: string): number {
  return Math.max(Date.parse(now), Date.parse(updated_at))
}

function endedRuns(campaign: PlainCampaign, worker: string): WorkerRun[] {
  return runsOf(campaign, worker)
    .filter(({ isRunning }) => !isRunning)
    .sort((a, b) => a.time - b.time || a.ended - b.ended || a.attempt - b.attempt || a.position - b.position)
}

function runsOf({ experiments }: PlainCampaign, worker: string): WorkerRun[] {
  return experiments.flatMap((one, position) => {
    const { status, attempt, attempts, lease } = one
    const isCurrent = status !== 'pending' && attempt > 0 && attempts.at(-1)?.attempt !== attempt
    return [...attempts, ...(isCurrent ? [one] : [])]
      .filter((run) => run.worker === worker && run.status !== 'skipped' && !isDiscarded(run))
      .map((run) => ({
        ...{ position, of: one, attempt: run.attempt, failure_kind: kindOf(run) },
        isRunning: run.status === 'running',
        isHeld: run.status === 'running' && lease !== null,
        started: msOf(run.started_at),
        ended: run.status === 'running' ? 0 : msOf(run.completed_at),
        time: msOf(run.started_at ?? run.completed_at),
      }))
  })
}

function isDiscarded(run: Experiment | PastAttempt): boolean {
  return 'closed_by' in run && (run.closed_by === 'retry' || run.closed_by === 'config')
}

function msOf(time: string | null): number {
  return Date.parse(time ?? '1970-01-01T00:00:00Z')
}

/** A failure of unknown kind is an error. */
function kindOf({ status, failure_kind }: Experiment | PastAttempt): PastAttempt['failure_kind'] {
  return status === 'failed' ? (failure_kind ?? 'error') : null
}

function workersOf({ experiments }: PlainCampaign): string[] {
  const names = experiments.flatMap((one) => [one.worker, ...one.attempts.map(({ worker }) => worker)])
  const named = new Set(names.filter((name) => name !== null))
  return [...named].filter((name) => runsOf({ experiments } as PlainCampaign, name).length > 0)
}
