import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { DomainError } from '#campaignd/domain/errors.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import { applyReport } from '#campaignd/domain/operations/report.js'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import type { Counts, Fault, Outcome, Size } from '../fault.js'
import {
  checkHistory,
  type Operation,
  type Seen,
  type State,
  type Verdict,
  type Violation,
} from '../history/history.js'
import { Random, ReportSource } from '../history/reports.js'

const SIZES: Readonly<Record<Size, { readonly operations: number; readonly kills: number }>> = {
  short: { operations: 600, kills: 2 },
  middle: { operations: 3_000, kills: 6 },
  full: { operations: 10_000, kills: 20 },
}

const CLIENTS = 32
const EXPERIMENTS = 200
/** Half of the operations meet on so many experiments. */
const CONTESTED = 12
/** Milliseconds after which an answer is given up as lost. */
const PATIENCE = 30_000
const SHOWN_VIOLATIONS = 3
/** Milliseconds after which a kill no longer waits for an answer: the clients may have ended. */
const MAX_WAIT = 500

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
const CAMPAIGN = '/v1/campaigns/sweep'

/** Taken in turns: during some operations, just when the next answer, or read, has come, and between two operations. */
const KILL_MOMENTS = ['during', 'at-answer', 'at-read', 'between'] as const
type KillMoment = (typeof KILL_MOMENTS)[number]

type ManifestOperation = Operation<Experiment, ExperimentReport>

/** Many clients at once on one campaign of the real service, which is killed again and again; then the history is checked. */
export const linearizability: Fault = {
  name: 'linearizability',
  how: `${CLIENTS} clients on one campaign, SIGKILL at random moments, the history of all answers checked`,
  run,
}

async function run(size: Size): Promise<Outcome> {
  const seed = Number(process.env['CAMPAIGND_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32))
  const dataDir = mkdtempSync(join(tmpdir(), 'campaignd-linearizability-'))
  const trial = new Trial(dataDir, new Random(seed), SIZES[size])
  try {
    const violations = await trial.run()
    const counts = trial.counts(violations.length)
    const because = faultsOf(violations, counts, size)
    return because === '' ? { kind: 'passed', counts } : { kind: 'failed', counts, because: `seed ${seed}: ${because}` }
  } catch (error) {
    const because = `seed ${seed}: ${(error as Error).message}`
    return { kind: 'failed', counts: trial.counts(0), because }
  } finally {
    await trial.end()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

function faultsOf(violations: readonly Violation[], counts: Counts, size: Size): string {
  if (violations.length > 0) {
    const shown = violations.slice(0, SHOWN_VIOLATIONS).map(({ rule, message }) => `${rule}: ${message}`)
    return `${violations.length} violations, ${shown.join('; ')}`
  }
  const { operations = 0, kills = 0 } = counts
  return operations < SIZES[size].operations || kills < SIZES[size].kills
    ? `only ${operations} operations and ${kills} kills`
    : ''
}

/** One history, from the creation of the campaign to what is left after the last kill. */
class Trial {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: CLIENTS + 1 })
  private readonly shelf = new Shelf()
  private readonly reports: ReportSource
  private readonly recorded: { readonly operation: ManifestOperation; readonly by: ServiceProcess }[] = []
  /** The one that runs, or soon will: who wants to ask it waits here. */
  private service: Promise<ServiceProcess>
  private started = 0
  private inFlight = 0
  private kills = 0
  private over = false
  private awaited: { readonly of: 'at-answer' | 'at-read'; readonly resolve: () => void } | null = null

  constructor(
    private readonly dataDir: string,
    private readonly random: Random,
    private readonly size: (typeof SIZES)[Size],
  ) {
    this.reports = new ReportSource(random, { experiments: EXPERIMENTS, contested: CONTESTED })
    this.service = ServiceProcess.start(dataDir, 0)
  }

  async run(): Promise<Violation[]> {
    const created = await this.call('POST', '/v1/campaigns', await this.service, campaignDraft(EXPERIMENTS))
    if (created.status !== 201) throw new Error(`the campaign was not created: ${created.body}`)
    const initial = this.stateOf(created.body)
    const clients = Array.from({ length: CLIENTS }, (_, client) => this.runClient(client))
    await Promise.all([...clients, this.runKiller()])
    await this.kill('between')
    const finalState = this.stateOf((await this.call('GET', CAMPAIGN, await this.service)).body)
    return checkHistory({ initial, operations: this.operations(), decide, matches }, finalState)
  }

  counts(violations: number): Counts {
    const outcomes = this.recorded.map(({ operation }) => `${operation.kind} ${operation.outcome.kind}`)
    const count = (...kinds: readonly string[]) => outcomes.filter((outcome) => kinds.includes(outcome)).length
    return {
      operations: this.recorded.length,
      acknowledged: count('report answered'),
      refused: count('report refused'),
      unknown: count('report lost', 'read lost'),
      reads: count('read answered'),
      kills: this.kills,
      violations,
    }
  }

  /** Ends what still runs. */
  async end(): Promise<void> {
    this.over = true
    this.agent.destroy()
    const service = await this.service.catch(() => null)
    await service?.kill()
  }

  private async runClient(client: number): Promise<void> {
    while (this.started < this.size.operations && !this.over) {
      const service = await this.service
      service.refuseIfDead()
      this.started += 1
      this.inFlight += 1
      try {
        const operation = this.random.chance(0.12) ? this.read(client, service) : this.report(client, service)
        this.recorded.push({ operation: await operation, by: service })
      } catch (error) {
        this.over = true
        throw error
      } finally {
        this.inFlight -= 1
      }
    }
  }

  private async read(client: number, service: ServiceProcess): Promise<ManifestOperation> {
    const start = performance.now()
    const answer = await this.call('GET', CAMPAIGN, service).catch(() => null)
    const interval = { client, start, end: performance.now() }
    if (answer === null) return { kind: 'read', ...interval, outcome: { kind: 'lost' } }
    if (answer.status !== 200) throw new Error(`a read was answered ${answer.status} ${answer.body}`)
    return { kind: 'read', ...interval, outcome: { kind: 'answered', state: this.stateOf(answer.body) } }
  }

  private async report(client: number, service: ServiceProcess): Promise<ManifestOperation> {
    const { expId, report } = this.reports.next(client)
    const start = performance.now()
    const answer = await this.call('PATCH', `${CAMPAIGN}/experiments/${expId}`, service, report).catch(() => null)
    const operation = { kind: 'report', client, start, end: performance.now(), expId, report } as const
    if (answer === null) {
      this.reports.repeatLater(client, { expId, report })
      return { ...operation, outcome: { kind: 'lost' } }
    }
    if (answer.status === 200) {
      const seen = this.shelf.take(JSON.parse(answer.body) as Experiment)
      this.reports.learn(seen)
      return { ...operation, outcome: { kind: 'answered', seen } }
    }
    const { code, experiment } = JSON.parse(answer.body) as { readonly code: string; readonly experiment?: Experiment }
    if (answer.status !== 409 || experiment === undefined) {
      throw new Error(`${JSON.stringify(report)} on ${expId} was answered ${answer.status} ${answer.body}`)
    }
    const seen = this.shelf.take(experiment)
    this.reports.learn(seen)
    return { ...operation, outcome: { kind: 'refused', code, seen } }
  }

  /** All kills but the last one, which follows when the clients have ended. */
  private async runKiller(): Promise<void> {
    const moments = Array.from({ length: this.size.kills - 1 }, () => this.random.below(this.size.operations))
    for (const [index, moment] of moments.sort((a, b) => a - b).entries()) {
      while (this.started < moment && !this.over) await sleep(1)
      if (this.over) return
      await this.kill(KILL_MOMENTS[index % KILL_MOMENTS.length] ?? 'during')
    }
  }

  /** Nobody begins anything until the next one listens, on the same port. */
  private async kill(when: KillMoment): Promise<void> {
    const dying = await this.service
    if (when === 'during') await sleep(this.random.below(8))
    if (when === 'at-answer' || when === 'at-read') await this.answer(when)
    this.service = this.succeed(dying, when)
    await this.service
  }

  private async succeed(dying: ServiceProcess, when: KillMoment): Promise<ServiceProcess> {
    while (when === 'between' && this.inFlight > 0) await sleep(1)
    dying.refuseIfDead()
    await dying.kill()
    this.kills += 1
    return ServiceProcess.start(this.dataDir, dying.port)
  }

  /** The moment at which whatever was told too early is not safe yet. */
  private async answer(of: 'at-answer' | 'at-read'): Promise<void> {
    const patience = sleep(MAX_WAIT)
    await Promise.race([patience, new Promise<void>((resolve) => (this.awaited = { of, resolve }))])
    this.awaited = null
  }

  private answered(method: string): void {
    if (this.awaited?.of === 'at-answer' || method === 'GET') this.awaited?.resolve()
  }

  /** A lost operation can have happened until the process that it was sent to was dead. */
  private operations(): ManifestOperation[] {
    return this.recorded.map(({ operation, by }) =>
      operation.outcome.kind === 'lost' ? { ...operation, end: by.diedAt } : operation,
    )
  }

  private stateOf(body: string): State<Experiment> {
    const { revision, experiments } = JSON.parse(body) as CampaignManifest
    const state = new Map(experiments.map((experiment) => [experiment.exp_id, this.shelf.take(experiment)]))
    for (const seen of state.values()) this.reports.learn(seen)
    return { revision, experiments: state }
  }

  /** Sends once, whatever happens; rejects when no whole answer came. */
  private async call(method: string, path: string, { port }: ServiceProcess, body?: unknown): Promise<Answer> {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const call = request({ host: '127.0.0.1', port, method, path, headers, agent: this.agent })
    // A connection may break a second time, behind its answer, when nobody listens any more.
    call.on('error', () => undefined)
    call.setTimeout(PATIENCE, () => call.destroy(new Error('no answer')))
    call.end(body === undefined ? undefined : JSON.stringify(body))
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    const answer = { status: response.statusCode ?? 0, body: await text(response) }
    this.answered(method)
    return answer
  }
}

interface Answer {
  readonly status: number
  readonly body: string
}

/** The service as it ships, in a process of its own. */
class ServiceProcess {
  /** On the clock of the operations; Infinity while it lives. */
  diedAt = Infinity
  port = 0
  private killed = false
  private said = ''
  private readonly ended: Promise<unknown>

  private constructor(private readonly child: ChildProcessByStdio<null, Readable, Readable>) {
    this.ended = once(child, 'exit').then(() => (this.diedAt = performance.now()))
    child.stderr.on('data', (chunk: Buffer) => (this.said = chunk.toString()))
  }

  /** Resolves once it listens. */
  static async start(dataDir: string, port: number): Promise<ServiceProcess> {
    const child = spawn(process.execPath, [MAIN], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], CAMPAIGND_PORT: String(port), CAMPAIGND_DATA_DIR: dataDir },
    })
    const service = new ServiceProcess(child)
    try {
      await service.listening()
      return service
    } catch (error) {
      await service.kill()
      throw error
    }
  }

  /** Kills this very process, and waits until it is dead. */
  async kill(): Promise<void> {
    this.killed = true
    this.child.kill('SIGKILL')
    await this.ended
  }

  /** @throws Error with its last words when it ended without being told to */
  refuseIfDead(): void {
    if (this.diedAt !== Infinity && !this.killed) throw new Error(`the service ended by itself: ${this.said}`)
  }

  private async listening(): Promise<void> {
    const port = new Promise<number>((resolve) => {
      createInterface({ input: this.child.stdout }).on('line', (line) => {
        this.said = line
        const [, found] = /listens on http:\/\/[^"\s]+:(\d+),/.exec(line) ?? []
        if (found !== undefined) resolve(Number(found))
      })
    })
    const tooSoon = this.ended.then(() => {
      throw new Error(`the service ended before it listened: ${this.said}`)
    })
    this.port = await Promise.race([port, tooSoon])
  }
}

/** Keeps one copy of each experiment as it was at a revision: the reads of a history repeat them a thousand times. */
class Shelf {
  private readonly kept = new Map<string, Seen<Experiment>>()

  take(experiment: Experiment): Seen<Experiment> {
    const key = `${experiment.exp_id} ${experiment.revision}`
    const known = this.kept.get(key)
    if (known !== undefined && isDeepStrictEqual(known.content, experiment)) return known
    const seen = { revision: experiment.revision, content: experiment }
    if (known === undefined) this.kept.set(key, seen)
    return seen
  }
}

/** The domain itself, one report at a time, is what the history is compared with. */
function decide(before: Experiment, report: ExperimentReport): Verdict<Experiment> {
  try {
    const after = applyReport(before, report, { now: SOME_TIME, revision: 0, timezone: 'UTC' })
    return after === before ? { kind: 'same' } : { kind: 'changed', content: after }
  } catch (error) {
    if (error instanceof DomainError) return { kind: 'refused', code: error.code }
    throw error
  }
}

const SOME_TIME = '2026-02-01T08:00:00Z'

/** The fold knows neither the clock of the service nor, where nobody saw one, the revision. */
function matches(decided: Experiment, seen: Experiment): boolean {
  return isDeepStrictEqual(withoutTimes(decided), withoutTimes(seen))
}

function withoutTimes(experiment: Experiment): Partial<Experiment> {
  const { started_at: _started, completed_at: _completed, revision: _revision, attempts, ...rest } = experiment
  const past = attempts.map((attempt) => ({ ...attempt, started_at: null, completed_at: null }))
  return { ...rest, attempts: past }
}
