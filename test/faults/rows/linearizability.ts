import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import type { Counts, Fault, Findings, Size } from '../fault.js'
import { checkHistory } from '../history/check-history.js'
import type { Operation, State } from '../history/history.js'
import { MortalService } from '../history/mortal-service.js'
import { decide, matches } from '../history/one-at-a-time.js'
import { Random, ReportSource } from '../history/reports.js'
import { SeenExperiments } from '../history/seen-experiments.js'
import { seedOfRun } from '../seed.js'
import type { Stage } from '../stage.js'

interface TrialSize {
  readonly operations: number
  readonly kills: number
}

const SIZES: Readonly<Record<Size, TrialSize>> = {
  short: { operations: 600, kills: 2 },
  middle: { operations: 3_000, kills: 6 },
  full: { operations: 10_000, kills: 20 },
}

const CLIENTS = 32
const EXPERIMENTS = 200
/** Half of the operations meet on so many experiments. */
const CONTESTED = 12
/** Milliseconds after which a reply is given up as lost. */
const REPLY_TIMEOUT = 30_000
/** Milliseconds after which a kill no longer waits for an answer: the clients may have ended. */
const MAX_WAIT = 500

const CAMPAIGN = '/v1/campaigns/sweep'

/** In rotation: during some operations, just when the next answer, or read, has come, and between two operations. */
const KILL_MOMENTS = ['during', 'at-answer', 'at-read', 'between'] as const
type KillMoment = (typeof KILL_MOMENTS)[number]

type ManifestOperation = Operation<Experiment, ExperimentReport>

export const linearizability: Fault = {
  name: 'linearizability',
  how: `${CLIENTS} clients on one campaign, SIGKILL at random moments, the history of all answers checked`,
  run: (stage, size) => run(stage, SIZES[size]),
}

async function run(stage: Stage, size: TrialSize): Promise<Findings> {
  const seed = seedOfRun()
  const trial = new Trial(stage, new Random(seed), size)
  const problems = await trial.run().catch((error: unknown) => [(error as Error).message])
  trial.end()
  const counts = trial.counts(problems.length)
  const { operations = 0, kills = 0 } = counts
  const isShort = operations < size.operations || kills < size.kills
  if (problems.length === 0 && isShort) problems.push(`only ${operations} operations and ${kills} kills`)
  return { counts, problems: problems.map((problem) => `seed ${seed}: ${problem}`) }
}

class Trial {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: CLIENTS + 1 })
  private readonly experiments = new SeenExperiments()
  private readonly reports: ReportSource
  private readonly recorded: { readonly operation: ManifestOperation; readonly by: MortalService }[] = []
  private service: Promise<MortalService>
  private started = 0
  private inFlight = 0
  private kills = 0
  private over = false
  private awaited: { readonly of: 'at-answer' | 'at-read'; readonly resolve: () => void } | null = null

  constructor(
    private readonly stage: Stage,
    private readonly random: Random,
    private readonly size: TrialSize,
  ) {
    this.reports = new ReportSource(random, { experiments: EXPERIMENTS, contested: CONTESTED })
    this.service = MortalService.start(stage, '0')
  }

  async run(): Promise<string[]> {
    const created = await this.call('POST', '/v1/campaigns', await this.service, campaignDraft(EXPERIMENTS))
    if (created.status !== 201) throw new Error(`the campaign was not created: ${created.body}`)
    const initial = this.stateOf(created.body)
    const clients = Array.from({ length: CLIENTS }, (_, client) => this.runClient(client))
    await Promise.all([...clients, this.runKiller()])
    await this.kill('between')
    const finalState = this.stateOf((await this.call('GET', CAMPAIGN, await this.service)).body)
    const violations = checkHistory({ initial, operations: this.operations(), decide, matches }, finalState)
    return violations.map(({ rule, message }) => `${rule}: ${message}`)
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

  /** Has all clients leave off, also when something failed. */
  end(): void {
    this.over = true
    this.agent.destroy()
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

  private async read(client: number, service: MortalService): Promise<ManifestOperation> {
    const start = performance.now()
    const answer = await this.call('GET', CAMPAIGN, service).catch(() => null)
    const interval = { client, start, end: performance.now() }
    if (answer === null) return { kind: 'read', ...interval, outcome: { kind: 'lost' } }
    if (answer.status !== 200) throw new Error(`a read was answered ${answer.status} ${answer.body}`)
    return { kind: 'read', ...interval, outcome: { kind: 'answered', state: this.stateOf(answer.body) } }
  }

  private async report(client: number, service: MortalService): Promise<ManifestOperation> {
    const { expId, report } = this.reports.next(client)
    const start = performance.now()
    const answer = await this.call('PATCH', `${CAMPAIGN}/experiments/${expId}`, service, report).catch(() => null)
    const operation = { kind: 'report', client, start, end: performance.now(), expId, report } as const
    if (answer === null) {
      this.reports.repeatLater(client, { expId, report })
      return { ...operation, outcome: { kind: 'lost' } }
    }
    if (answer.status === 200) {
      const seen = this.experiments.keep(JSON.parse(answer.body) as Experiment)
      this.reports.learn(seen)
      return { ...operation, outcome: { kind: 'answered', seen } }
    }
    const { code, experiment } = JSON.parse(answer.body) as { readonly code: string; readonly experiment?: Experiment }
    if (answer.status !== 409 || experiment === undefined) {
      throw new Error(`${JSON.stringify(report)} on ${expId} was answered ${answer.status} ${answer.body}`)
    }
    const seen = this.experiments.keep(experiment)
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

  /** No client begins anything until the next process listens, on the same port. */
  private async kill(when: KillMoment): Promise<void> {
    const dying = await this.service
    if (when === 'during') await sleep(this.random.below(8))
    if (when === 'at-answer' || when === 'at-read') await this.nextReply(when)
    this.service = this.replace(dying, when)
    await this.service
  }

  private async replace(dying: MortalService, when: KillMoment): Promise<MortalService> {
    while (when === 'between' && this.inFlight > 0) await sleep(1)
    await dying.kill()
    this.kills += 1
    return MortalService.start(this.stage, dying.port)
  }

  /** The moment at which what was answered too early is not durable yet. */
  private async nextReply(of: 'at-answer' | 'at-read'): Promise<void> {
    await Promise.race([sleep(MAX_WAIT), new Promise<void>((resolve) => (this.awaited = { of, resolve }))])
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
    const state = new Map(experiments.map((experiment) => [experiment.exp_id, this.experiments.keep(experiment)]))
    for (const seen of state.values()) this.reports.learn(seen)
    return { revision, experiments: state }
  }

  /** Sends once; rejects when no whole reply came. */
  private async call(method: string, path: string, { url }: MortalService, body?: unknown): Promise<Answer> {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const call = request(url + path, { method, headers, agent: this.agent })
    // A connection may break a second time, behind its reply, when there is no listener any more.
    call.on('error', () => undefined)
    call.setTimeout(REPLY_TIMEOUT, () => call.destroy(new Error('no answer')))
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
