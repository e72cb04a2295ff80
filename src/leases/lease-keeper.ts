import { expireLeases } from '../domain/operations/expire-leases.ts'
import { refuseHeartbeat, type Heartbeat } from '../domain/operations/heartbeat.ts'
import { findExperiment } from '../domain/operations/report.ts'
import type { Experiment } from '../domain/experiment/experiment.ts'
import { TimestampWriter } from '../domain/timestamp-writer.ts'
import type { CampaignStore } from '../repository/campaign-store.ts'
import type { ExpiredLeases, LiveLease } from '../repository/lease-book.ts'
import { whenThere, type MaybePromise } from '../repository/maybe-promise.ts'
import { isRefusal } from '../repository/repository-error.ts'

/** Milliseconds between two sweeps, so that a lease is ended within half a second and a commit of its deadline. */
const SWEEP_MS = 500

export interface LeaseKeeperOptions {
  readonly store: CampaignStore
  /** The present by the wall clock: milliseconds since 1970. */
  readonly wall: () => number
  readonly onExpired: (campaignId: string, expIds: readonly string[]) => void
  /** Expired leases could not be ended; it is tried again at the next sweep. */
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
export interface RenewedLease extends Pick<LeaseTime, 'lease_seconds' | 'lease_expires_at'> {
  /** The worker is to stop, since the campaign was paused. */
  readonly cancel: boolean
}

/** Renews the leases of running experiments, and ends those that ran out. */
export class LeaseKeeper {
  private readonly timestamps = new TimestampWriter()
  private timer: NodeJS.Timeout | null = null
  private sweeping: Promise<void> = Promise.resolve()

  constructor(private readonly options: LeaseKeeperOptions) {}

  /** Sweeps twice a second from now on. */
  start(): void {
    this.timer ??= setInterval(() => {
      this.sweeping = this.sweep()
    }, SWEEP_MS)
  }

  async close(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer)
    await this.sweeping
  }

  /**
   * Keeps a lease alive. At once where the store knows its leases without asking: only to tell why it cannot be done takes a
   * look at the campaign.
   * @throws DomainError `experiment-not-found`, `stale-attempt`, `not-the-owner` or `no-lease`
   */
  heartbeat(campaignId: string, expId: string, beat: Heartbeat): MaybePromise<RenewedLease> {
    const { attempt, worker } = beat
    const renewed = this.options.store.leases.renew([{ campaign_id: campaignId, exp_id: expId, attempt, worker }])
    return whenThere(renewed, ([lease]) =>
      lease === null || lease === undefined ? this.refuse(campaignId, expId, beat) : this.renewedLease(lease),
    )
  }

  /** Keeps the leases of experiments alive whose workers gave another sign; nothing for those that have none. */
  renew(campaignId: string, experiments: readonly Experiment[]): MaybePromise<unknown> {
    const held = experiments.filter(({ lease }) => lease !== null)
    if (held.length === 0) return null
    return this.options.store.leases.renew(
      held.map(({ exp_id, attempt }) => ({ campaign_id: campaignId, exp_id, attempt })),
    )
  }

  /** The times of the live leases among those of the experiments, by `exp_id`. */
  async times(campaignId: string, experiments: readonly Experiment[]): Promise<ReadonlyMap<string, LeaseTime>> {
    const ids = experiments.map(({ exp_id }) => exp_id)
    const leases = await this.options.store.leases.look(campaignId, ids)
    const times = new Map<string, LeaseTime>()
    for (const { exp_id, attempt } of experiments) {
      const lease = leases.get(exp_id)
      if (lease?.attempt === attempt) times.set(exp_id, this.timeOf(lease))
    }
    return times
  }

  /** Ends every lease that ran out, those of a campaign in one commit. */
  async sweep(): Promise<void> {
    const expired = await this.options.store.leases.takeExpired()
    await Promise.all(expired.map((ofCampaign) => this.expire(ofCampaign)))
  }

  private async refuse(campaignId: string, expId: string, beat: Heartbeat): Promise<never> {
    const { campaign } = await this.options.store.read(campaignId)
    return refuseHeartbeat(findExperiment(campaign, expId), beat)
  }

  private async expire(expired: ExpiredLeases): Promise<void> {
    const { campaign_id, leases } = expired
    const { store, onExpired, onError } = this.options
    try {
      const lost = await store.update(campaign_id, (campaign, at) => expireLeases(campaign, leases, at))
      if (lost.length > 0) onExpired(campaign_id, lost)
    } catch (error) {
      // Deleted or corrupt: the store has forgotten its leases.
      if (isRefusal(error, 'campaign-not-found', 'campaign-corrupt')) return
      await store.leases.putBack(expired)
      onError(campaign_id, error)
    }
  }

  private renewedLease({ seconds, cancel }: LiveLease): RenewedLease {
    return { lease_seconds: seconds, lease_expires_at: this.expiryOf(seconds), cancel }
  }

  private timeOf({ seconds, idle_seconds }: LiveLease): LeaseTime {
    return {
      lease_seconds: seconds,
      lease_expires_at: this.expiryOf(seconds - idle_seconds),
      seconds_since_heartbeat: Math.round(idle_seconds * 1000) / 1000,
    }
  }

  /** @param seconds from now */
  private expiryOf(seconds: number): string {
    return this.timestamps.write(this.options.wall() + seconds * 1000)
  }
}
