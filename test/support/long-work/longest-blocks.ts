import { setTimeout as sleep } from 'node:timers/promises'
import { campaignDraft } from '../campaigns/drafts.js'
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
import { WaitingCalls } from './waiting-calls.js'
import type { Block, WatchedService } from './watched-service.js'

/** Experiments that are started within a second, on a busy machine. */
const STARTED = 4000
const READERS = 8
/** Calls that wait. */
const WAITING = 4000
/** Batches of 1,000 changes: with more a reader gets a snapshot. */
const MISSED = 2

export interface LongestBlocksOptions {
  readonly start: () => Promise<WatchedService>
  readonly largest: Largest
  /** What goes on beside the calls. @returns ends it */
  readonly beside?: (service: WatchedService) => Promise<() => Promise<void>>
  /** Each call took so many milliseconds. */
  readonly onCall?: (name: string, milliseconds: number) => void
}

/** The longest block of each call at the limits, and of what the service does by itself. */
export class LongestBlocks {
  readonly byName = new Map<string, Block>()

  constructor(private readonly options: LongestBlocksOptions) {}

  async measure(): Promise<void> {
    const { start, largest, beside } = this.options
    const service = await start()
    const end = await beside?.(service)
    let close = (): void => undefined
    for (const call of largeCalls(largest)) {
      // From the first change on, somebody follows it.
      if (call.name === 'patch') close = readStream(service.url)
      await this.during(service, call.name, () => make(service.url, call))
    }
    close()
    await this.live(service)
    await end?.()
    await this.end(service)
    await this.expire()
  }

  private async live(service: WatchedService): Promise<void> {
    const { url } = service
    const { largest } = this.options
    const draft = largeDraft(largest, 'large')
    // None is to expire while the others begin.
    const seconds = Math.ceil(largest.experiments / STARTED)
    await make(url, creation(draft))
    const first = await versionOf(url)
    await this.during(service, 'stream, from a snapshot', () => this.follow(url))
    for (const call of leases(draft, seconds)) await make(url, call)
    await this.during(service, 'streams, too much missed', () => this.follow(url, first))
    const last = await versionOf(url)
    for (const call of [...leases(draft, seconds + 1)].slice(0, MISSED)) await make(url, call)
    await this.during(service, 'streams, the most missed', () => this.follow(url, last))
    await this.wait(service)
  }

  private async wait(service: WatchedService): Promise<void> {
    const { url } = service
    const path = '/v1/campaigns/waited'
    const change = async () => {
      const body = { campaign_name: `changed ${Math.round(performance.now())}` }
      await send('PATCH', url + path, body)
    }
    // With retries left there may be something to claim later.
    await make(url, creation(campaignDraft(1, { campaign_id: 'waited', settings: { max_retries: 1 } })))
    const body = JSON.stringify({ worker: 'idle', wait_seconds: 60 })
    await send('POST', `${url}${path}/claims`, { worker: 'busy', lease_seconds: 3600 })
    const claims = await WaitingCalls.open(url, { method: 'POST', path: `${path}/claims`, body }, WAITING)
    await this.during(service, 'claims that wait, a change', change)
    await claims.close()
    const headers = { 'if-none-match': `"${await versionOf(url, 'waited')}"` }
    const polls = await WaitingCalls.open(url, { method: 'GET', path: `${path}/progress?wait=60`, headers }, WAITING)
    await this.during(service, 'long polls, a change', async () => {
      const answered = polls.answered()
      await change()
      await answered
    })
  }

  private async follow(url: string, lastEventId?: string): Promise<void> {
    const streams = Array.from({ length: READERS }, () => readStream(url, lastEventId))
    await sleep(300)
    for (const close of streams) close()
  }

  /** After a start every lease begins anew, so that all of them expire at the same moment. */
  private async expire(): Promise<void> {
    const service = await this.options.start()
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
    const began = performance.now()
    await act()
    this.options.onCall?.(name, performance.now() - began)
    const block = await service.longestBlock()
    const known = this.byName.get(name)
    if (known === undefined || known.held < block.held) this.byName.set(name, block)
  }
}

/** The id of its newest event. */
async function versionOf(url: string, id = 'large'): Promise<string> {
  const { headers } = await send('GET', `${url}/v1/campaigns/${id}/progress`)
  return headers.get('etag')?.slice(1, -1) ?? ''
}
