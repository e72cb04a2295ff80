import { setTimeout as sleep } from 'node:timers/promises'
import { send } from '../../support/http/client.js'
import { EventReader, faultsOfStream } from '../../support/http/event-reader.js'
import { Scrape } from '../../support/http/metrics.js'
import { residentBytes } from '../../support/memory.js'
import { Attackers } from '../attack/attackers.js'
import { TARGET } from '../attack/hostile-request.js'
import type { StalledOrders } from '../attack/stalled-attackers.js'
import type { Fault, Findings, Size } from '../fault.js'
import { ClaimingWorkers } from '../fleet/claiming-workers.js'
import { createCampaign } from '../replies.js'
import { Slices } from '../slices.js'
import { endInOrder, loggedErrors, type Stage } from '../stage.js'

interface Extent {
  readonly readers: number
  /** How many experiments each update of what they read tells of, with 8 kB of text each. */
  readonly updated: number
  readonly pace: number
  /** Slices of quiet before, and after. */
  readonly slices: number
}

const EXTENTS: Readonly<Record<Size, Extent>> = {
  short: { readers: 30, updated: 8, pace: 20, slices: 1 },
  middle: { readers: 500, updated: 2, pace: 100, slices: 3 },
  full: { readers: 500, updated: 2, pace: 200, slices: 15 },
}

const WATCHED = 'watched'
const TEXT = 'x'.repeat(8000)

const CUT_OFF_LIMIT = 240_000
const SLICE = 2_000
const MOST_MEMORY = 600

export const stalledReaders: Fault = {
  name: 'stalled-readers',
  how: '500 readers of a stream that stand still, slow, half-open and pipelining clients, while workers claim, heartbeat and report',
  run: (stage, size) => new StalledReaders(stage, size).run(),
}

class StalledReaders {
  private readonly problems: string[] = []
  private readonly slices = new Slices()
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
    const attackers = await Attackers.begin<StalledOrders>(this.stage, './stalled-attackers.ts', url)
    await createCampaign(url, WATCHED, EXTENTS[this.size].updated)
    await createCampaign(url, TARGET, 2)
    const workers = await ClaimingWorkers.begin(url, this.slices, (text) => this.problems.push(text))
    const healthy = new EventReader(`${url}/v1/campaigns/${WATCHED}/events`)
    const updates = this.update(url).catch((error: unknown) => {
      this.problems.push(`the updates broke off: ${(error as Error).message}`)
    })
    await this.rest()
    await this.attack(url, attackers)
    await this.rest()
    this.isOver = true
    await updates
    await workers.end()
    await healthy.until(() => healthy.events.at(-1)?.data.revision === this.revision)
    healthy.close()
    this.problems.push(...faultsOfStream(healthy.events, this.revision))
    const peak = Math.round(residentBytes(service.pid, 'peak') / 1024 ** 2)
    if (peak > MOST_MEMORY) this.problems.push(`the service took ${peak} MiB`)
    this.problems.push(...loggedErrors(service), ...(await endInOrder(service)))
    if (this.size !== 'short') this.problems.push(...this.slices.problems())
    const { dropped, slices, revision, problems } = this
    return {
      counts: { 'cut off': dropped, ...slices.counts(), 'MiB at most': peak, updates: revision - 1 },
      problems,
    }
  }

  private async rest(): Promise<void> {
    await this.slices.warmUp()
    for (let slice = 0; slice < EXTENTS[this.size].slices; slice += 1) await this.slices.rest(SLICE)
  }

  /** Goes on until all that stand still were cut off. */
  private async attack(url: string, attackers: Attackers<StalledOrders>): Promise<void> {
    const { readers } = EXTENTS[this.size]
    await attackers.order('attack', undefined)
    const stalling = attackers.order('stall', { campaign: WATCHED, count: readers })
    const deadline = performance.now() + CUT_OFF_LIMIT
    while (this.dropped < readers && performance.now() < deadline) {
      await sleep(SLICE)
      this.slices.endOfAttack()
      this.dropped = await droppedBy(url)
    }
    await stalling
    if (this.dropped < readers) this.problems.push(`${this.dropped} were cut off, and ${readers} stand still`)
    this.problems.push(...(await attackers.order('end', undefined)))
    attackers.end()
  }

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
}

async function droppedBy(url: string): Promise<number> {
  const { text } = await send('GET', `${url}/metrics`)
  const scrape = new Scrape(text)
  const value = (name: string) => scrape.value(name) ?? Number.NaN
  // By the stream, or at the limit of all that waits for clients.
  return value('campaignd_event_streams_dropped_total') + value('campaignd_connections_cut_total')
}
