import { send } from '../../../support/http/client.js'
import { Scrape } from '../../../support/http/metrics.js'
import { AT_THE_LIMITS, type Largest } from '../../../support/long-work/large-calls.js'
import { LongestBlocks } from '../../../support/long-work/longest-blocks.js'
import { startWatched, type WatchedService } from '../../../support/long-work/watched-service.js'
import type { Fault, Findings, Size } from '../../fault.js'
import { ClaimingWorkers } from '../../fleet/claiming-workers.js'
import { Slices } from '../../slices.js'
import type { Stage } from '../../stage.js'

const MIB = 1024 * 1024

const EXTENTS: Readonly<Record<Size, Largest>> = {
  short: { experiments: 8_000, campaignBytes: 8 * MIB },
  middle: { experiments: 30_000, campaignBytes: 20 * MIB },
  full: AT_THE_LIMITS,
}

/** Milliseconds for which any call may hold the event loop; compared in full only, which runs alone. */
const MOST: Readonly<Record<Size, number>> = { short: Infinity, middle: Infinity, full: 50 }

/** Milliseconds of a call within which a worker gets an answer in any case. */
const LONG = 400

/** Seconds: the lock is refreshed every 2.5, and may be taken by another process at 12. */
const MOST_LOCK_AGE = 6

export const longWork: Fault = {
  name: 'long-work',
  how: 'every call at the limits of a campaign, streams from old revisions, and a sweep of all leases, beside workers',
  run: (stage, size) => new LongWork(stage, size).run(),
}

class LongWork {
  private readonly problems: string[] = []
  private readonly answered = new CountedCalls()
  private before = 0
  private calls = 0
  private oldest = 0

  constructor(
    private readonly stage: Stage,
    private readonly size: Size,
  ) {}

  async run(): Promise<Findings> {
    const { size, problems } = this
    const blocks = new LongestBlocks({
      largest: EXTENTS[size],
      start: () => this.start(),
      beside: (service) => this.work(service),
      onCall: (name, milliseconds) => {
        this.onCall(name, milliseconds)
      },
    })
    await blocks.measure()
    const longest = [...blocks.byName].sort(([, a], [, b]) => b.held - a.held)
    for (const [name, { held }] of longest) {
      if (held > MOST[size]) problems.push(`${name} held the event loop for ${Math.round(held)} ms`)
    }
    const counts = {
      'large calls': this.calls,
      'kinds of them': longest.length,
      'calls of workers': this.answered.count,
      'ms at most': Math.round(longest[0]?.[1].held ?? 0),
    }
    return { counts, problems }
  }

  private start(): Promise<WatchedService> {
    const { stage, size } = this
    const kib = EXTENTS[size].campaignBytes / 1024
    const environment = { CAMPAIGND_MAX_CAMPAIGN_BYTES: `${kib}KiB` }
    return startWatched({ dataDir: stage.dataDir, environment }, (child) => stage.keep(child))
  }

  /** Workers whose calls are answered while large ones go on. */
  private async work({ url }: WatchedService): Promise<() => Promise<void>> {
    const workers = await ClaimingWorkers.begin(url, this.answered, (text) => this.problems.push(text))
    return async () => {
      await workers.end()
      const { text } = await send('GET', `${url}/metrics`)
      this.oldest = new Scrape(text).value('campaignd_lock_refresh_age_seconds') ?? Infinity
      if (this.oldest > MOST_LOCK_AGE) this.problems.push(`the lock was refreshed ${this.oldest} s ago`)
      if (this.answered.count === 0) this.problems.push('no worker was answered')
    }
  }

  private onCall(name: string, milliseconds: number): void {
    this.calls += 1
    const answered = this.answered.count - this.before
    this.before = this.answered.count
    if (milliseconds > LONG && answered === 0 && name !== 'sweep of all leases') {
      this.problems.push(`no worker was answered while ${name} went on for ${Math.round(milliseconds)} ms`)
    }
  }
}

class CountedCalls extends Slices {
  count = 0

  override add(milliseconds: number): void {
    this.count += 1
    super.add(milliseconds)
  }
}
