import { relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { send, type Reply } from '../support/client.js'
import { campaignDraft } from '../support/drafts.js'
import { bytesOf, manifestPath } from '../support/files.js'
import { RawConnection, type RawAnswer } from '../support/raw-connection.js'
import type { Service } from '../support/service-process.js'
import type { Fault, Size } from './fault.js'
import { HOSTILE, TARGET, type Hostile } from './hostile-requests.js'
import { beginSlowClients, type Begun, type Limit } from './slow-clients.js'
import { onStage, type Findings, type Stage } from './stage.js'
import { StrictWriters } from './strict-writers.js'

/** How often all of it is sent, and which limits the slow clients are left to run into. */
const SIZES: Readonly<Record<Size, { readonly passes: number; readonly limits: readonly Limit[] }>> = {
  short: { passes: 1, limits: [] },
  middle: { passes: 10, limits: ['headers'] },
  full: { passes: 100, limits: ['headers', 'request'] },
}
/** Milliseconds in which the service must have cut off who runs into a limit. */
const CUT_OFF: Readonly<Record<Limit, number>> = { headers: 20_000, request: 70_000, none: Infinity }

const BUSY = ['busy-1', 'busy-2']
const WRITERS = 8
const ATTACKERS = 6
const SLOW_OF_EACH = 4
/** Milliseconds of calm, to compare with. */
const CALM = 500
/** Milliseconds that a healthy call may take, on a machine that is busy itself; what they took is printed. */
const PATIENCE = 10_000
/** Milliseconds within which a connection with a hostile request on it must have ended. */
const EXCHANGE = 30_000
/** The level of an error in the log. */
const ERROR = 50

/** Whatever is sent, it is refused as documented, it changes nothing, and it harms nobody. */
export const hostileInput: Fault = {
  name: 'hostile-input',
  how: `${HOSTILE.length} hostile requests and slow clients, over sockets, while ${WRITERS} healthy writers go on`,
  run: (size) => onStage('hostile-input', (stage) => new HostileInput(stage).run(size)),
}

class HostileInput {
  private readonly writers = new StrictWriters(BUSY, WRITERS)
  private readonly problems: string[] = []
  private readonly found = { sent: 0, refused: 0, unanswered: 0, 'slow clients cut off': 0 }
  /** Put together before anything is measured: both sides share the machine. */
  private readonly arsenal = HOSTILE.map((hostile) => ({ hostile, bytes: Buffer.from(hostile.bytes(), 'latin1') }))
  private readonly calm: number[] = []
  private readonly attacked: number[] = []

  constructor(private readonly stage: Stage) {}

  async run(size: Size): Promise<Findings> {
    const service = await this.stage.start()
    await this.writers.createCampaigns(service.url, WRITERS)
    const created = await send('POST', `${service.url}/v1/campaigns`, campaignDraft(2, { campaign_id: TARGET }))
    if (created.status !== 201) throw new Error(`a creation was answered ${created.status}`)
    const before = this.untouched()

    const slow = await this.attack(service, size)
    const left = changed(before, this.untouched())
    this.problems.push(...left.map((name) => `the attack changed ${name}`))
    this.problems.push(...this.writers.differences(service.dataDir))
    await this.stop(service, slow)
    if (this.attacked.length < WRITERS) this.problems.push('the writers did not write during the attack')
    const counts = {
      ...this.found,
      'healthy calls': this.attacked.length,
      'ms p99 of them': percentile99(this.attacked),
      'ms p99 before': percentile99(this.calm),
    }
    return { counts, problems: this.problems }
  }

  private async attack({ url }: Service, size: Size): Promise<Begun[]> {
    const { passes, limits } = SIZES[size]
    let phase: 'calm' | 'attack' | 'over' = 'calm'
    const runs = this.writers.run(
      url,
      () => phase === 'over',
      (outcome, _writer, took) => {
        this.noteHealthy(outcome, took, phase === 'calm' ? this.calm : this.attacked)
      },
    )
    await sleep(CALM)
    phase = 'attack'
    const slow = await beginSlowClients(url, SLOW_OF_EACH)
    for (let pass = 0; pass < passes && this.problems.length === 0; pass += 1) await this.sendAll(url)
    await this.waitForCutOff(slow, limits)
    phase = 'over'
    await runs
    return slow
  }

  private noteHealthy(outcome: Reply | Error, took: number, times: number[]): void {
    times.push(took)
    if (outcome instanceof Error) this.problems.push(`a healthy call broke: ${outcome.message}`)
    else if (outcome.status !== 200) this.problems.push(`a healthy call was answered ${outcome.status} ${outcome.text}`)
    if (took > PATIENCE) this.problems.push(`a healthy call took ${Math.round(took)} ms`)
  }

  /** Each of them once, in an order of its own. */
  private async sendAll(url: string): Promise<void> {
    const queue = this.arsenal.map((one) => ({ ...one, place: Math.random() })).sort((a, b) => a.place - b.place)
    const attackers = Array.from({ length: ATTACKERS }, async () => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        await this.sendOne(url, next.hostile, next.bytes)
      }
    })
    await Promise.all(attackers)
  }

  private async sendOne(url: string, hostile: Hostile, bytes: Buffer): Promise<void> {
    const connection = await RawConnection.open(url)
    connection.write(bytes)
    if (hostile.then === 'end-writing') connection.endWriting()
    if (hostile.then === 'reset') {
      // Time for the service to have read it.
      await sleep(20)
      connection.reset()
    }
    await Promise.race([connection.closed, patience(EXCHANGE)])
    this.found.sent += 1
    if (!connection.isClosed) this.problems.push(`${hostile.name}: the connection stays open`)
    connection.reset()
    try {
      this.judge(hostile, connection.answers())
    } catch (error) {
      this.problems.push(`${hostile.name}: ${(error as Error).message}`)
    }
  }

  private judge({ name, answers, least }: Hostile, received: readonly RawAnswer[]): void {
    for (const answer of received) {
      const verdict = verdictOf(answer)
      if (answers.includes(verdict)) this.found.refused += 1
      else this.problems.push(`${name} was answered ${verdict}, not ${answers.join(' or ')}`)
    }
    if (received.length === 0) this.found.unanswered += 1
    if (received.length < least) this.problems.push(`${name} was answered ${received.length} times, not ${least}`)
  }

  /** Who runs into a limit is told so, and is let go. */
  private async waitForCutOff(slow: readonly Begun[], limits: readonly Limit[]): Promise<void> {
    for (const { client, connection, closedAfter } of slow.filter((one) => limits.includes(one.client.limit))) {
      await Promise.race([connection.closed, patience(CUT_OFF[client.limit])])
      const after = closedAfter()
      const verdicts = connection.answers().map(verdictOf).join()
      if (after === undefined || after > CUT_OFF[client.limit]) {
        this.problems.push(`who ${client.name} is not cut off after ${CUT_OFF[client.limit] / 1000} s`)
        return
      }
      if (verdicts !== '408 request-timeout')
        this.problems.push(`who ${client.name} was answered ${verdicts || 'nothing'}`)
      this.found['slow clients cut off'] += 1
    }
  }

  /** The slow ones that are left do not keep it from ending. */
  private async stop(service: Service, slow: readonly Begun[]): Promise<void> {
    const errors = service.log.filter(({ level }) => Number(level) >= ERROR)
    this.problems.push(...errors.map((line) => `logged as an error: ${JSON.stringify(line)}`))
    const code = await service.end('SIGTERM')
    if (code !== 0) this.problems.push(`the service ended with ${code}`)
    for (const { client, connection } of slow) {
      if (client.isDeaf === true) connection.reset()
      await connection.closed
      if (client.isDeaf === true) continue
      const wrong = connection.answers().filter(({ status }) => status < 400 || status > 499)
      if (wrong.length > 0) this.problems.push(`who ${client.name} was answered ${wrong[0]?.status}`)
    }
  }

  /** All there is but the campaigns of the writers: also beside the data directory nothing may appear. */
  private untouched(): Record<string, string> {
    const theirs = BUSY.map((id) => relative(this.stage.root, manifestPath(this.stage.dataDir, id)))
    return Object.fromEntries(Object.entries(bytesOf(this.stage.root)).filter(([name]) => !theirs.includes(name)))
  }
}

/** Time that passes without keeping a process that has nothing else to do. */
function patience(milliseconds: number): Promise<void> {
  return sleep(milliseconds, undefined, { ref: false })
}

/** Status and code of a problem, or what is wrong with it as one. */
function verdictOf({ status, headers, body }: RawAnswer): string {
  const type = headers.get('content-type') ?? ''
  if (!/^application\/problem\+json\b/.test(type)) return `${status} ${type}`
  const problem = JSON.parse(body) as { status: number; code: string; type: string }
  const isWhole = problem.status === status && problem.type === `/problems/${problem.code}`
  return isWhole ? `${status} ${problem.code}` : `${status} ${body}`
}

function changed(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name])
}

function percentile99(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b)
  return Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0)
}
