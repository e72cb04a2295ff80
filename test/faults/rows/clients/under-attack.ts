import { setTimeout as sleep } from 'node:timers/promises'
import { send } from '../../../support/http/client.js'
import { Scrape } from '../../../support/http/metrics.js'
import { residentBytes } from '../../../support/memory.js'
import type { Service } from '../../../support/service/service-process.js'
import { Attackers } from '../../attack/attackers.js'
import type { ConnectionOrders } from '../../attack/connection-attackers.js'
import type { Findings, Size } from '../../fault.js'
import { ClaimingWorkers } from '../../fleet/claiming-workers.js'
import { Slices } from '../../slices.js'
import { endInOrder, type Stage } from '../../stage.js'

/** By how much the p99 of the workers may be longer; compared in full only, which runs alone: three slices on a busy machine tell nothing. */
const MOST_SLOWER: Readonly<Record<Size, number>> = { short: Infinity, middle: Infinity, full: 2 }
const SLICES: Readonly<Record<Size, number>> = { short: 1, middle: 3, full: 10 }
const SLICE = 2_000

/** By how much the service may be larger after an attack, and how long it has to become so small. */
const MOST_LARGER: Readonly<Record<Size, number>> = { short: 1.5, middle: 1.15, full: 1.15 }
const RECOVERY = 60_000

const MIB = 1024 ** 2

/** As in the image. */
const ALLOCATOR = { MALLOC_MMAP_THRESHOLD_: '32768' }

export interface AttackOptions {
  readonly stage: Stage
  readonly size: Size
  readonly environment?: Readonly<Record<string, string>>
  /** Of the healthy workers. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A service in little memory and with its default limits, with workers that do as they should, and attackers of one machine. */
export class UnderAttack {
  readonly problems: string[] = []
  private readonly slices = new Slices()
  private before = 0
  private after = 0

  private constructor(
    private readonly options: AttackOptions,
    readonly service: Service,
    readonly attackers: Attackers<ConnectionOrders>,
  ) {}

  static async begin(options: AttackOptions): Promise<UnderAttack> {
    const { stage, size, environment = {} } = options
    // In full with the default: otherwise a machine that is busy itself would have workers refused.
    const maxLag = size === 'full' ? '500' : '0'
    const little = { NODE_OPTIONS: '--max-old-space-size=512', CAMPAIGND_MAX_LAG: maxLag }
    const service = await stage.start({ environment: { ...ALLOCATOR, ...little, ...environment } })
    const attackers = await Attackers.begin<ConnectionOrders>(stage, './connection-attackers.ts', service.url)
    return new UnderAttack(options, service, attackers)
  }

  /**
   * Attacks once, between two times of quiet; the act ends when nothing more is sent.
   * @param rehearse makes the calls of the attack beforehand: a service that never answered them is smaller than it will be
   */
  async run(act: () => Promise<void>, rehearse?: () => Promise<void>): Promise<void> {
    await rehearse?.()
    await this.attackers.order('end', undefined)
    const { headers = {} } = this.options
    const problem = (text: string) => this.problems.push(text)
    const workers = await ClaimingWorkers.begin(this.service.url, this.slices, problem, headers)
    await this.rest()
    this.before = residentBytes(this.service.pid)
    await this.attackFor(act)
    await this.attackers.order('end', undefined)
    await this.recover()
    await this.rest()
    await workers.end()
  }

  /** The value of a metric without labels. */
  async metric(name: string): Promise<number> {
    const { text } = await send('GET', `${this.service.url}/metrics`, undefined, this.options.headers)
    return new Scrape(text).value(name) ?? Number.NaN
  }

  async end(counts: Findings['counts']): Promise<Findings> {
    this.attackers.end()
    const peak = Math.round(residentBytes(this.service.pid, 'peak') / MIB)
    this.problems.push(...(await endInOrder(this.service)))
    if (this.options.size !== 'short') this.problems.push(...this.slices.problems(MOST_SLOWER[this.options.size]))
    const [before, after] = [this.before, this.after].map((bytes) => Math.round(bytes / MIB))
    const memory = { 'MiB before': before ?? 0, 'MiB at most': peak, 'MiB after': after ?? 0 }
    return { counts: { ...counts, ...memory, ...this.slices.counts() }, problems: this.problems }
  }

  private async rest(): Promise<void> {
    await this.slices.warmUp()
    for (let slice = 0; slice < SLICES[this.options.size]; slice += 1) await this.slices.rest(SLICE)
  }

  private async attackFor(act: () => Promise<void>): Promise<void> {
    const acting = act().then(() => 'over')
    for (let state = ''; state !== 'over';) {
      state = await Promise.race([acting, sleep(SLICE, 'goes on')])
      await sleep(SLICE / 2)
      this.slices.endOfAttack()
    }
  }

  /** Waits until the service is hardly larger than before. */
  private async recover(): Promise<void> {
    const most = MOST_LARGER[this.options.size] * this.before
    const deadline = performance.now() + RECOVERY
    do {
      this.after = residentBytes(this.service.pid)
      if (this.after <= most) return
      await sleep(500)
    } while (performance.now() < deadline)
    const [after, before] = [this.after, this.before].map((bytes) => Math.round(bytes / MIB))
    this.problems.push(`the service has ${after} MiB ${RECOVERY / 1000} s after the attack, and had ${before} before`)
  }
}
