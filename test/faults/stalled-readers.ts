import { setTimeout as sleep } from 'node:timers/promises'
import { send } from '../support/client.js'
import { campaignDraft } from '../support/drafts.js'
import { EventReader, faultsOfStream } from '../support/event-reader.js'
import { residentBytes } from '../support/memory.js'
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
  /** How many experiments each update of what they read tells of, with 8 kB of text each. */
  readonly updated: number
  /** Milliseconds between two updates. */
  readonly pace: number
  /** Milliseconds of quiet before and after, to compare with. */
  readonly quiet: number
}

const EXTENTS: Readonly<Record<Size, Extent>> = {
  short: { readers: 30, updated: 8, pace: 20, quiet: 500 },
  middle: { readers: 500, updated: 2, pace: 100, quiet: 5_000 },
  full: { readers: 500, updated: 2, pace: 200, quiet: 30_000 },
}

const WATCHED = 'watched'
const TEXT = 'x'.repeat(8000)

/** Milliseconds within which all that stand still must have been cut off. */
const PATIENCE = 240_000
/** How many connections are opened at once, at a pace that the one machine for both sides keeps up with. */
const AT_ONCE = 10
const SLOW_OF_EACH = 4
/** Milliseconds that are not counted: what runs for the first time is slow. */
const WARM_UP = 1_000
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
  private dropped = 0

  constructor(
    private readonly stage: Stage,
    private readonly size: Size,
  ) {}

  async run(): Promise<Findings> {
    const service = await this.stage.start()
    const { url } = service
    const { quiet, updated } = EXTENTS[this.size]
    for (const [campaign_id, experiments] of [
      [WATCHED, updated],
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
    await sleep(WARM_UP)
    workers.takeTimes()
    await sleep(quiet)
    const calm = workers.takeTimes()
    const attacked = await this.attack(service, workers)
    await sleep(WARM_UP)
    workers.takeTimes()
    await sleep(quiet)
    const after = workers.takeTimes()
    this.isOver = true
    await updates
    await workers.end()
    await healthy.until(() => healthy.events.at(-1)?.data.revision === this.revision)
    healthy.close()
    this.problems.push(...faultsOfStream(healthy.events, this.revision))
    const peak = Math.round(residentBytes(service.pid, 'peak') / 1024 ** 2)
    if (peak > MOST_MEMORY) this.problems.push(`the service took ${peak} MiB`)
    await this.stop(service)
    return {
      counts: { ...this.judge(calm, attacked, after), 'MiB at most': peak, updates: this.revision - 1 },
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
      this.dropped = await droppedBy(url)
      if (this.dropped !== readers) this.problems.push(`${this.dropped} were cut off, and ${readers} stand still`)
      return workers.takeTimes()
    } finally {
      await paced.end()
      for (const connection of [...stalled, ...slow.map((one) => one.connection)]) connection.reset()
    }
  }

  /** Updates on and on what is read. */
  private async update(url: string): Promise<void> {
    const { updated, pace } = EXTENTS[this.size]
    while (!this.isOver) {
      const began = performance.now()
      const updates = Array.from({ length: updated }, (_, index) => ({
        exp_id: String(index + 1).padStart(4, '0'),
        status: 'running',
        worker: 'w',
        error: `${this.revision} ${TEXT}`,
      }))
      const { status, text } = await send('PATCH', `${url}/v1/campaigns/${WATCHED}/experiments`, { updates })
      if (status !== 200) this.problems.push(`an update was answered ${status} ${text}`)
      else this.revision += 1
      await sleep(Math.max(0, pace - (performance.now() - began)))
    }
  }

  /** Others may use the machine too: it counts as quiet as it was before or after, whichever was worse. */
  private judge(before: readonly number[], meanwhile: readonly number[], after: readonly number[]): Counts {
    const quiet = Math.max(percentile99(before), percentile99(after))
    const busy = percentile99(meanwhile)
    if (this.size !== 'short' && busy > Math.max(FAST, MOST_SLOWER * quiet)) {
      this.problems.push(`the p99 of healthy calls was ${busy} ms, and ${quiet} in quiet`)
    }
    return {
      'cut off': this.dropped,
      'healthy calls in quiet': before.length + after.length,
      'and meanwhile': meanwhile.length,
      'ms p99 before': percentile99(before),
      'ms p99 meanwhile': busy,
      'ms p99 after': percentile99(after),
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
    await sleep(50)
  }
}

async function droppedBy(url: string): Promise<number> {
  const { text } = await send('GET', `${url}/metrics`)
  return new Scrape(text).value('campaignd_event_streams_dropped_total') ?? Number.NaN
}

function percentile99(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b)
  return Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN)
}
