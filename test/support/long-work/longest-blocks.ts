import { setTimeout as sleep } from 'node:timers/promises'
import { send } from '../http/client.js'
import { until } from '../until.js'
import {
  creation,
  type LargeCall,
  largeCalls,
  largeDraft,
  type Largest,
  leases,
  make,
  readStream,
} from './large-calls.js'
import type { Block, WatchedService } from './watched-service.js'

const LEASE_SECONDS = 20
const READERS = 8
/** Batches of 1,000 changes: with more a reader gets a snapshot. */
const MISSED = 2

/** The longest block of each call at the limits, and of what the service does by itself. */
export class LongestBlocks {
  readonly byName = new Map<string, Block>()

  constructor(
    private readonly start: () => Promise<WatchedService>,
    private readonly largest: Largest,
  ) {}

  async measure(): Promise<void> {
    const service = await this.start()
    let close = (): void => undefined
    for (const call of largeCalls(this.largest)) {
      // From the first change on, somebody follows it.
      if (call.name === 'patch') close = readStream(service.url)
      await this.during(service, call.name, () => make(service.url, call))
    }
    close()
    await this.live(service)
    await this.end(service)
    await this.expire()
  }

  private async live(service: WatchedService): Promise<void> {
    const { url } = service
    const draft = largeDraft(this.largest, 'large')
    await make(url, creation(draft))
    const first = await versionOf(url)
    await this.during(service, 'stream, from a snapshot', () => this.follow(url))
    for (const call of leases(draft, LEASE_SECONDS)) await make(url, call)
    await this.during(service, 'streams, too much missed', () => this.follow(url, first))
    const last = await versionOf(url)
    for (const call of [...leases(draft, LEASE_SECONDS + 1)].slice(0, MISSED)) await make(url, call)
    await this.during(service, 'streams, the most missed', () => this.follow(url, last))
  }

  private async follow(url: string, lastEventId?: string): Promise<void> {
    const streams = Array.from({ length: READERS }, () => readStream(url, lastEventId))
    await sleep(300)
    for (const close of streams) close()
  }

  /** After a start every lease begins anew, so that all of them expire at the same moment. */
  private async expire(): Promise<void> {
    const service = await this.start()
    const close = readStream(service.url)
    await this.during(service, 'sweep of all leases', () =>
      until('all leases have expired', async () => {
        const { text } = await send('GET', `${service.url}/v1/campaigns/large/progress`)
        return text.includes('"running":0')
      }),
    )
    close()
    await this.end(service)
  }

  private async end(service: WatchedService): Promise<void> {
    const code = await service.end('SIGTERM')
    if (code !== 0) throw new Error(`the service ended with ${code}`)
  }

  private async during(service: WatchedService, name: LargeCall['name'], act: () => Promise<void>): Promise<void> {
    await service.longestBlock()
    await act()
    const block = await service.longestBlock()
    const known = this.byName.get(name)
    if (known === undefined || known.milliseconds < block.milliseconds) this.byName.set(name, block)
  }
}

/** The id of its newest event. */
async function versionOf(url: string): Promise<string> {
  const { headers } = await send('GET', `${url}/v1/campaigns/large/progress`)
  return headers.get('etag')?.slice(1, -1) ?? ''
}
