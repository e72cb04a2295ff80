import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import type { ExperimentWithRun } from '#campaignd/domain/views/experiment-with-run.js'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import { type Reply, send } from '../../support/http/client.js'
import type { Service } from '../../support/service/service-process.js'
import type { Counts, Fault, Findings, Size } from '../fault.js'
import { checkHistory } from '../history/check-history.js'
import type { Operation, Seen, State } from '../history/history.js'
import { decide, matches } from '../history/one-at-a-time.js'
import { EXPERIMENTS, ReportSource } from '../history/reports.js'
import { below, chance, type Draw, drawsOf, seedOfRun } from '../seed.js'
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
  const trial = new Trial(stage, drawsOf(seed), size)
  const problems = await trial.run().catch((error: unknown) => [(error as Error).message])
  trial.over = true
  const counts = trial.counts(problems.length)
  const { operations = 0, kills = 0 } = counts
  const isShort = operations < size.operations || kills < size.kills
  if (problems.length === 0 && isShort) problems.push(`only ${operations} operations and ${kills} kills`)
  return { counts, problems: problems.map((problem) => `seed ${seed}: ${problem}`) }
}

class Trial {
  private readonly known = new Map<string, Seen<Experiment>>()
  private readonly reports: ReportSource
  private readonly recorded: { readonly operation: ManifestOperation; readonly by: Service }[] = []
  /** When each process ended, on the clock of the operations. */
  private readonly deaths = new Map<Service, number>()
  private service: Promise<Service>
  private killed: Service | null = null
  private started = 0
  private inFlight = 0
  private kills = 0
  /** All clients leave off then, also when something failed. */
  over = false
  private awaited: { readonly of: 'at-answer' | 'at-read'; readonly resolve: () => void } | null = null

  constructor(
    private readonly stage: Stage,
    private readonly draw: Draw,
    private readonly size: TrialSize,
  ) {
    this.reports = new ReportSource(draw)
    this.service = this.start('0')
  }

  async run(): Promise<string[]> {
    const created = await this.call('POST', '/v1/campaigns', await this.service, campaignDraft(EXPERIMENTS))
    if (created.status !== 201) throw new Error(`the campaign was not created: ${created.text}`)
    const initial = this.stateOf(created)
    const clients = Array.from({ length: CLIENTS }, (_, client) => this.runClient(client))
    await Promise.all([...clients, this.runKiller()])
    await this.kill('between')
    const finalState = this.stateOf(await this.call('GET', CAMPAIGN, await this.service))
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

  private async runClient(client: number): Promise<void> {
    while (this.started < this.size.operations && !this.over) {
      const service = await this.service
      this.refuseIfDead(service)
      this.started += 1
      this.inFlight += 1
      try {
        const operation = chance(this.draw, 12) ? this.read(client, service) : this.report(client, service)
        this.recorded.push({ operation: await operation, by: service })
      } catch (error) {
        this.over = true
        throw error
      } finally {
        this.inFlight -= 1
      }
    }
  }

  private async read(client: number, service: Service): Promise<ManifestOperation> {
    const start = performance.now()
    const answer = await this.call('GET', CAMPAIGN, service).catch(() => null)
    const interval = { client, start, end: performance.now() }
    if (answer === null) return { kind: 'read', ...interval, outcome: { kind: 'lost' } }
    if (answer.status !== 200) throw new Error(`a read was answered ${answer.status} ${answer.text}`)
    return { kind: 'read', ...interval, outcome: { kind: 'answered', state: this.stateOf(answer) } }
  }

  private async report(client: number, service: Service): Promise<ManifestOperation> {
    const { expId, report } = this.reports.next(client)
    const start = performance.now()
    const answer = await this.call('PATCH', `${CAMPAIGN}/experiments/${expId}`, service, report).catch(() => null)
    const operation = { kind: 'report', client, start, end: performance.now(), expId, report } as const
    if (answer === null) {
      this.reports.repeatLater(client, { expId, report })
      return { ...operation, outcome: { kind: 'lost' } }
    }
    if (answer.status === 200) {
      return {
        ...operation,
        outcome: { kind: 'answered', seen: this.see(withoutRun(answer.json<ExperimentWithRun>())) },
      }
    }
    const { code, experiment } = answer.json<{ readonly code: string; readonly experiment?: Experiment }>()
    if (answer.status !== 409 || experiment === undefined) {
      throw new Error(`${JSON.stringify(report)} on ${expId} was answered ${answer.status} ${answer.text}`)
    }
    return { ...operation, outcome: { kind: 'refused', code, seen: this.see(experiment) } }
  }

  /** All kills but the last one, which follows when the clients have ended. */
  private async runKiller(): Promise<void> {
    const moments = Array.from({ length: this.size.kills - 1 }, () => this.draw(below(this.size.operations)))
    for (const [index, moment] of moments.sort((a, b) => a - b).entries()) {
      while (this.started < moment && !this.over) await sleep(1)
      if (this.over) return
      await this.kill(KILL_MOMENTS[index % KILL_MOMENTS.length] ?? 'during')
    }
  }

  /** No client begins anything until the next process listens, on the same port. */
  private async kill(when: KillMoment): Promise<void> {
    const dying = await this.service
    if (when === 'during') await sleep(this.draw(below(8)))
    if (when === 'at-answer' || when === 'at-read') await this.nextReply(when)
    this.service = this.replace(dying, when)
    await this.service
  }

  private async replace(dying: Service, when: KillMoment): Promise<Service> {
    while (when === 'between' && this.inFlight > 0) await sleep(1)
    this.refuseIfDead(dying)
    this.killed = dying
    await dying.end('SIGKILL')
    this.kills += 1
    return this.start(new URL(dying.url).port)
  }

  /** @param port 0 for any that is free */
  private async start(port: string): Promise<Service> {
    const service = await this.stage.start({ environment: { CAMPAIGND_PORT: port } })
    void service.ended.then(() => this.deaths.set(service, performance.now()))
    return service
  }

  /** @throws Error with the last line of its log when it ended by itself */
  private refuseIfDead(service: Service): void {
    if (!this.deaths.has(service) || service === this.killed) return
    throw new Error(`the service ended by itself: ${JSON.stringify(service.log.at(-1))}`)
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
      operation.outcome.kind === 'lost' ? { ...operation, end: this.deaths.get(by) ?? Infinity } : operation,
    )
  }

  private stateOf(answer: Reply): State<Experiment> {
    const { revision, experiments } = answer.json<CampaignManifest>()
    return { revision, experiments: new Map(experiments.map((one) => [one.exp_id, this.see(one)])) }
  }

  /** Keeps one copy of each experiment as it was at a revision: the reads of a history repeat them a thousand times. */
  private see(experiment: Experiment): Seen<Experiment> {
    const key = `${experiment.exp_id} ${experiment.revision}`
    const known = this.known.get(key)
    if (known !== undefined && isDeepStrictEqual(known.content, experiment)) return known
    const seen = { revision: experiment.revision, content: experiment }
    if (known === undefined) this.known.set(key, seen)
    this.reports.learn(seen)
    return seen
  }

  /** Sends once; rejects when no whole reply came in time. */
  private async call(method: string, path: string, { url }: Service, body?: unknown): Promise<Reply> {
    const late = sleep(REPLY_TIMEOUT, null, { ref: false })
    const answer = await Promise.race([send(method, url + path, body), late])
    if (answer === null) throw new Error('no answer')
    this.answered(method)
    return answer
  }
}

/** As the manifest has it. */
function withoutRun({ run_id: _run, ...experiment }: ExperimentWithRun): Experiment {
  return experiment
}
