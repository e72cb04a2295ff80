import type { Campaign } from '../../domain/campaign/campaign.ts'
import type { LeaseBook, LiveLease } from '../../repository/lease-book.ts'
import type { EventFrame } from '../event-frame.ts'
import { heartbeatFrame, runJson } from './heartbeat-event.ts'

/** Milliseconds from the first news to the event that tells them, and so at least between two events of a campaign. */
const INTERVAL_MS = 1000
/** What one event tells at most: what is more waits for the next one. */
const MAX_RUNS = 1000
const MAX_BYTES = 256 * 1024

export interface DigestOptions {
  readonly leases: Pick<LeaseBook, 'watch' | 'look'>
  readonly campaignId: string
  /** The campaign as it was told last; null: its first reader is about to be added. */
  readonly newest: () => Campaign | null
  readonly publish: (frame: EventFrame) => void
}

/**
 * Tells the readers of one campaign what heartbeats say of its runs, in an event a second at most. Only the ids of those that have news
 * wait here, so it is bounded by the leases: an event says how they stand when it is made.
 */
export class HeartbeatDigest {
  /** `exp_id`s, those that wait longest first. */
  private readonly waiting = new Set<string>()
  private timer: NodeJS.Timeout | null = null
  private hasEnded = false
  private readonly unwatch: () => void

  constructor(private readonly options: DigestOptions) {
    this.unwatch = options.leases.watch(options.campaignId, (expId) => {
      this.waiting.add(expId)
      this.schedule()
    })
  }

  end(): void {
    this.hasEnded = true
    this.unwatch()
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => {
      void this.tell()
    }, INTERVAL_MS).unref()
  }

  private async tell(): Promise<void> {
    const expIds: string[] = []
    for (const expId of this.waiting) {
      if (expIds.length === MAX_RUNS) break
      // Before the leases are looked at: what comes after that is news again.
      this.waiting.delete(expId)
      expIds.push(expId)
    }
    const leases = await this.look(expIds)
    if (this.hasEnded) return
    if (leases === null) for (const expId of expIds) this.waiting.add(expId)
    else this.publish(this.runsOf(expIds, leases))
    this.timer = null
    if (this.waiting.size > 0) this.schedule()
  }

  private publish(runs: readonly string[]): void {
    if (runs.length > 0) this.options.publish(heartbeatFrame(runs))
  }

  /** Null when the store cannot be asked. */
  private async look(expIds: readonly string[]): Promise<ReadonlyMap<string, LiveLease> | null> {
    const { leases, campaignId } = this.options
    try {
      return await leases.look(campaignId, expIds)
    } catch {
      // It refuses heartbeats for the same reason, and those are logged.
      return null
    }
  }

  /** What an event tells, each run as JSON. The others of these wait for the next one, or have ended. */
  private runsOf(expIds: readonly string[], leases: ReadonlyMap<string, LiveLease>): string[] {
    const campaign = this.options.newest()
    const runs: string[] = []
    let bytes = 0
    for (const expId of expIds) {
      const lease = leases.get(expId)
      const experiment = campaign?.get(expId)
      const told = experiment?.attempt ?? -1
      if (lease === undefined || told > lease.attempt) continue
      // Readers are told first that a run has begun: the change may still be on its way.
      if (experiment === undefined || told < lease.attempt || bytes > MAX_BYTES) this.waiting.add(expId)
      else {
        const run = runJson(experiment, lease.latest)
        bytes += Buffer.byteLength(run)
        runs.push(run)
      }
    }
    return runs
  }
}
