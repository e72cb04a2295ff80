import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { send } from '../support/client.js'
import { campaignDraft } from '../support/drafts.js'
import { EventReader, faultsOfStream } from '../support/event-reader.js'
import { Scrape } from '../support/metrics.js'
import { RawConnection } from '../support/raw-connection.js'
import type { Service } from '../support/service-process.js'
import type { Counts, Fault, Size } from './fault.js'
import { TARGET } from './hostile-requests.js'
import { ClaimingWorkers } from './claiming-workers.js'
import { PacedAttack } from './paced-attack.js'
import { beginSlowClients } from './slow-clients.js'
import { onStage, type Findings, type Stage } from './stage.js'

interface Extent {
  readonly readers: number
  /** Milliseconds between two updates of what they read. */
  readonly pace: number
  /** Milliseconds of quiet, to compare with. */
  readonly quiet: number
}

const EXTENTS: Readonly<Record<Size, Extent>> = {
  short: { readers: 30, pace: 40, quiet: 500 },
  middle: { readers: 500, pace: 250, quiet: 5_000 },
  full: { readers: 500, pace: 250, quiet: 20_000 },
}

const WATCHED = 'watched'
/** Each update tells of so many experiments, in events of about 64 kB. */
const UPDATED = 8
const TEXT = 'x'.repeat(8000)

/** Milliseconds within which all that stand still must have been cut off. */
const PATIENCE = 120_000
/** How many connections are opened at once: more would not fit into the listen queue. */
const AT_ONCE = 50
const SLOW_OF_EACH = 4
/** By how much the worst of the healthy calls may be slower, unless they are fast all the same, in milliseconds. */
const MOST_SLOWER = 2
const FAST = 50
const MOST_MEMORY = 600
const ERROR = 50

/** Who reads nothing is cut off, and neither he nor those that are slow or out of step are felt by who works. */
export const stalledReaders: Fault = {
  name: 'stalled-readers',
  how: '500 readers of a stream that stand still, slow, half-open and pipelining clients, while workers claim, heartbeat and report',
  run: (size) => onStage('stalled-readers', (stage) => new StalledReaders(stage, size).run()),
}

class StalledReaders {
  private readonly problems: string[] = []
  private isOver = false
  private revision = 1

  constructor(
    private readonly stage: Stage,
    private readonly size: Size,
  ) {}

  async run(): Promise<Findings> {
    const service = await this.stage.start()
    const { url } = service
    const { quiet } = EXTENTS[this.size]
    for (const [campaign_id, experiments] of [
      [WATCHED, UPDATED],
      [TARGET, 2],
    ] as const) {
      const { status } = await send('POST', `${url}/v1/campaigns`, campaignDraft(experiments, { campaign_id }))
      if (status !== 201) throw new Error(`a creation was answered ${status}`)
    }
    const workers = await ClaimingWorkers.begin(url, (text) => this.problems.push(text))
    const healthy = new EventReader(`${url}/v1/campaigns/${WATCHED}/events`)
    const updates = this.update(url).catch((error: unknown) => {
      this.problems.push(`the updates broke off: ${(error as Error).message}`)
    })
    await sleep(quiet)
    const calm = workers.takeTimes()
    const attacked = await this.attack(service, workers)
    this.isOver = true
    await updates
    await workers.end()
    await healthy.until(() => healthy.events.at(-1)?.data.revision === this.revision)
    healthy.close()
    this.problems.push(...faultsOfStream(healthy.events, this.revision))
    const peak = peakMib(service.pid)
    if (peak > MOST_MEMORY) this.problems.push(`the service took ${peak} MiB`)
    await this.stop(service)
    return {
      counts: { ...this.judge(calm, attacked), 'MiB at most': peak, updates: this.revision - 1 },
      problems: this.problems,
    }
  }

  /** Goes on until all that stand still were cut off; returns the milliseconds that healthy calls took meanwhile. */
  private async attack({ url }: Service, workers: ClaimingWorkers): Promise<readonly number[]> {
    const { readers } = EXTENTS[this.size]
    const slow = await beginSlowClients(url, SLOW_OF_EACH)
    const paced = PacedAttack.begin(url, (text) => this.problems.push(text))
    const stalled: RawConnection[] = []
    try {
      await stall(url, readers, stalled)
      const deadline = performance.now() + PATIENCE
      while ((await droppedBy(url)) < readers && performance.now() < deadline) await sleep(500)
      const dropped = await droppedBy(url)
      if (dropped !== readers) this.problems.push(`${dropped} were cut off, and ${readers} stand still`)
      return workers.takeTimes()
    } finally {
      await paced.end()
      for (const connection of [...stalled, ...slow.map((one) => one.connection)]) connection.reset()
    }
  }

  /** Updates on and on what is read. */
  private async update(url: string): Promise<void> {
    while (!this.isOver) {
      const began = performance.now()
      const updates = Array.from({ length: UPDATED }, (_, index) => ({
        exp_id: String(index + 1).padStart(4, '0'),
        status: 'running',
        worker: 'w',
        error: `${this.revision} ${TEXT}`,
      }))
      const { status, text } = await send('PATCH', `${url}/v1/campaigns/${WATCHED}/experiments`, { updates })
      if (status !== 200) this.problems.push(`an update was answered ${status} ${text}`)
      else this.revision += 1
      await sleep(Math.max(0, EXTENTS[this.size].pace - (performance.now() - began)))
    }
  }

  private judge(calm: readonly number[], attacked: readonly number[]): Counts {
    const before = percentile99(calm)
    const meanwhile = percentile99(attacked)
    const isSlower = meanwhile > Math.max(FAST, MOST_SLOWER * before)
    if (this.size !== 'short' && isSlower) this.problems.push(`healthy calls took ${meanwhile} ms, not ${before}`)
    return {
      'cut off': EXTENTS[this.size].readers,
      'healthy calls before': calm.length,
      'and meanwhile': attacked.length,
      'ms p99 before': before,
      'ms p99 meanwhile': meanwhile,
    }
  }

  private async stop(service: Service): Promise<void> {
    const errors = service.log.filter(({ level }) => Number(level) >= ERROR)
    this.problems.push(...errors.map((line) => `logged as an error: ${JSON.stringify(line)}`))
    const code = await service.end('SIGTERM')
    if (code !== 0) this.problems.push(`the service ended with ${code}`)
  }
}

/** Opens streams and takes nothing of what comes. */
async function stall(url: string, count: number, connections: RawConnection[]): Promise<void> {
  while (connections.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - connections.length) }, () => RawConnection.open(url))
    for (const connection of await Promise.all(some)) {
      connection.stopReading()
      connection.write(`GET /v1/campaigns/${WATCHED}/events HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      connections.push(connection)
    }
    await sleep(20)
  }
}

async function droppedBy(url: string): Promise<number> {
  const { text } = await send('GET', `${url}/metrics`)
  return new Scrape(text).value('campaignd_event_streams_dropped_total') ?? Number.NaN
}

/** The most that a process had in memory so far. */
function peakMib(pid: number): number {
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024)
}

function percentile99(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b)
  return Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN)
}
