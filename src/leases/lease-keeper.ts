import type { Campaign } from '../domain/campaign/campaign.ts'
import type { Experiment } from '../domain/experiment/experiment.ts'
import { expireLeases } from '../domain/operations/expire-leases.ts'
import { refuseHeartbeat, type Heartbeat } from '../domain/operations/heartbeat.ts'
import { TimestampWriter } from '../domain/timestamp-writer.ts'
import { findExperiment } from '../domain/operations/report.ts'
import { RepositoryError, type CampaignChange, type CampaignStore } from '../repository/campaign-store.ts'
import { LeaseClock } from './lease-clock.ts'
import { LeaseTable, type Expired, type LiveLease } from './lease-table.ts'

/**
 * Milliseconds between two sweeps, so that a lease is given up within half a second and a commit of its deadline. A sweep
 * looks at every lease: at 10,000 of them that is less than a heap would cost the heartbeats, which outnumber sweeps.
 */
const SWEEP_MS = 500

export interface LeaseKeeperOptions {
  readonly repository: CampaignStore
  /** The present by the wall clock: milliseconds since 1970. */
  readonly wall: () => number
  /** Milliseconds from any origin, never going back. */
  readonly monotonic: () => number
  readonly onExpired: (campaignId: string, expIds: readonly string[]) => void
  /** Expired leases could not be given up; it is tried again at the next sweep. */
  readonly onError: (campaignId: string, error: unknown) => void
}

/** How long a lease still lives. */
export interface LeaseTime {
  readonly lease_seconds: number
  /** By the wall clock, RFC 3339; what counts is a monotonic one. */
  readonly lease_expires_at: string
  readonly seconds_since_heartbeat: number
}

/** What a heartbeat made of a lease. */
export interface KeptAlive extends Pick<LeaseTime, 'lease_seconds' | 'lease_expires_at'> {
  /** The worker is to stop, since the campaign was paused. */
  readonly cancel: boolean
}

/** Keeps the leases of running experiments alive by heartbeats, and has those given up that ran out. */
export class LeaseKeeper {
  private readonly table = new LeaseTable()
  private readonly clock: LeaseClock
  private readonly timestamps = new TimestampWriter()
  private readonly unsubscribe: () => void
  private timer: NodeJS.Timeout | null = null
  private sweeping: Promise<void> = Promise.resolve()

  private constructor(private readonly options: LeaseKeeperOptions) {
    this.clock = new LeaseClock(options.monotonic)
    this.unsubscribe = options.repository.subscribe((event) => {
      this.observe(event)
    })
  }

  /** Begins with every lease that is committed, each with a full period: nobody could be heard before. */
  static async open(options: LeaseKeeperOptions): Promise<LeaseKeeper> {
    const keeper = new LeaseKeeper(options)
    for await (const campaign of runningCampaigns(options.repository)) {
      keeper.table.observe(campaign, campaign.inStatus('running'), keeper.clock.now())
    }
    return keeper
  }

  /** Sweeps twice a second from now on. */
  start(): void {
    this.timer ??= setInterval(() => {
      this.sweeping = this.sweep()
    }, SWEEP_MS)
  }

  async close(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer)
    await this.sweeping
    this.unsubscribe()
  }

  /** How many leases are alive. */
  get live(): number {
    return this.table.size
  }

  /**
   * Keeps a lease alive; from memory alone, whatever the store is doing. At once: only to tell why it cannot be done takes a look
   * at the store.
   * @throws DomainError `experiment-not-found`, `stale-attempt`, `not-the-owner` or `no-lease`
   */
  heartbeat(campaignId: string, expId: string, beat: Heartbeat): KeptAlive | Promise<never> {
    const lease = this.table.get(campaignId, expId)
    if (lease?.attempt !== beat.attempt || isAnother(lease, beat.worker)) return this.refuse(campaignId, expId, beat)
    lease.lastSeen = this.clock.now()
    // Named one by one: to spread an object cost more than the rest of a heartbeat.
    return {
      lease_seconds: lease.seconds,
      lease_expires_at: this.expiryOf(lease, 0),
      cancel: this.table.isCancelled(campaignId),
    }
  }

  /** Keeps the lease of an experiment alive whose worker was heard of otherwise; nothing when it has none. */
  renew(campaignId: string, { exp_id, attempt, lease }: Experiment): void {
    if (lease === null) return
    const live = this.table.get(campaignId, exp_id)
    if (live?.attempt === attempt) live.lastSeen = this.clock.now()
  }

  /** Null when the experiment is under no live lease. */
  time(campaignId: string, { exp_id, attempt }: Experiment): LeaseTime | null {
    const lease = this.table.get(campaignId, exp_id)
    return lease?.attempt === attempt ? this.timeOf(lease) : null
  }

  /** Gives up every lease that ran out, those of a campaign in one commit. */
  async sweep(): Promise<void> {
    await Promise.all(this.table.takeExpired(this.clock.now()).map((expired) => this.giveUp(expired)))
  }

  private async refuse(campaignId: string, expId: string, beat: Heartbeat): Promise<never> {
    const campaign = await this.options.repository.read(campaignId)
    return refuseHeartbeat(findExperiment(campaign, expId), beat)
  }

  private async giveUp(expired: Expired): Promise<void> {
    const { campaign_id, leases } = expired
    const { repository, wall, onExpired, onError } = this.options
    const now = this.timestamps.write(wall())
    try {
      const lost = await repository.update(campaign_id, (campaign) => expireLeases(campaign, leases, now))
      if (lost.length > 0) onExpired(campaign_id, lost)
    } catch (error) {
      if (isGone(error)) this.table.forget(campaign_id)
      else {
        this.table.putBack(expired)
        onError(campaign_id, error)
      }
    }
  }

  private observe(event: CampaignChange): void {
    if (event.type === 'deleted' || event.type === 'corrupted') {
      this.table.forget(event.campaign_id)
      return
    }
    const { campaign } = event
    const changed = event.type === 'created' ? campaign.inStatus('running') : event.experiments
    this.table.observe(campaign, changed, this.clock.now())
  }

  private timeOf(lease: LiveLease): LeaseTime {
    const silence = this.clock.now() - lease.lastSeen
    return {
      lease_seconds: lease.seconds,
      lease_expires_at: this.expiryOf(lease, silence),
      seconds_since_heartbeat: Math.round(silence) / 1000,
    }
  }

  private expiryOf({ seconds }: LiveLease, silence: number): string {
    return this.timestamps.write(this.options.wall() + seconds * 1000 - silence)
  }
}

async function* runningCampaigns(repository: CampaignStore): AsyncGenerator<Campaign, void> {
  for (const { campaign_id, counts } of await repository.overviews()) {
    if (counts !== null && counts.running > 0) yield await repository.read(campaign_id)
  }
}

function isAnother({ worker }: LiveLease, named: string | undefined): boolean {
  return worker !== null && named !== undefined && named !== worker
}

/** Somebody else's by now: there is nothing left to give up. */
function isGone(error: unknown): boolean {
  return error instanceof RepositoryError && ['campaign-not-found', 'campaign-corrupt'].includes(error.code)
}
