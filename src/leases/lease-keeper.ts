import type { Experiment } from '../domain/experiment/experiment.ts'
import type { RunProgress } from '../domain/experiment/run-progress.ts'
import { type ExpiredLeases, expireLeases } from '../domain/operations/expire-leases.ts'
import { type Heartbeat, refuseHeartbeat, requireRun } from '../domain/operations/heartbeat.ts'
import { findExperiment } from '../domain/operations/report.ts'
import { TimestampWriter } from '../domain/timestamp-writer.ts'
import type { CampaignStore } from '../repository/campaign-store.ts'
import type { LiveLease } from '../repository/lease-book.ts'
import { type MaybePromise, whenThere } from '../repository/maybe-promise.ts'
import { isRefusal } from '../repository/repository-error.ts'

/** Short, so that an experiment is failed within half a second and a commit after its lease expired. */
const SWEEP_MS = 500

export interface LeaseKeeperOptions {
  readonly store: CampaignStore
  /** The wall clock: milliseconds since 1970. */
  readonly wall: () => number
  readonly onExpired: (campaignId: string, expIds: readonly string[]) => void
  /** Expired leases could not be ended. The next sweep tries again. */
  readonly onError: (campaignId: string, error: unknown) => void
}

/** A live lease: when it expires, and what its worker told last. */
export interface LeaseState extends RunProgress {
  readonly lease_seconds: number
  /** By the wall clock, RFC 3339. The lease itself expires by a monotonic one. */
  readonly lease_expires_at: string
  readonly seconds_since_heartbeat: number
}

/** A lease after a heartbeat. */
export interface RenewedLease extends Pick<LeaseState, 'lease_seconds' | 'lease_expires_at'> {
  /** True: the campaign was paused, and the worker is to stop. */
  readonly cancel: boolean
}

/** Renews the leases of running experiments, and ends those that expired. */
export class LeaseKeeper {
  private readonly timestamps = new TimestampWriter()
  private timer: NodeJS.Timeout | null = null
  /** One may begin while the commits of another are not through: a slow one delays no other campaign. */
  private readonly sweeps = new Set<Promise<void>>()
  /** Resolves once what all sweeps that have begun took is on its way to the store. */
  private taken: Promise<void> = Promise.resolve()
  private taking = 0

  constructor(private readonly options: LeaseKeeperOptions) {}

  /** Begins to sweep twice a second. */
  start(): void {
    this.timer ??= setInterval(() => {
      if (this.taking === 0) void this.sweep()
    }, SWEEP_MS)
  }

  async close(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer)
    await Promise.all(this.sweeps)
  }

  /**
   * Renews a lease; a plain value where the store has its leases in memory. The campaign is only read to explain a refusal.
   * @throws DomainError `invalid`, `experiment-not-found`, `stale-attempt`, `not-the-owner` or `no-lease`
   */
  heartbeat(campaignId: string, expId: string, beat: Heartbeat): MaybePromise<RenewedLease> {
    requireRun(beat)
    const renewed = this.options.store.leases.renew([{ campaign_id: campaignId, exp_id: expId, ...beat }])
    return whenThere(renewed, ([lease]) =>
      lease === null || lease === undefined ? this.refuse(campaignId, expId, beat) : this.renewedLease(lease),
    )
  }

  /** Renews the leases of those experiments that have one. */
  renew(campaign_id: string, experiments: readonly Experiment[]): MaybePromise<unknown> {
    const leased = experiments.filter(({ lease }) => lease !== null)
    if (leased.length === 0) return null
    return this.options.store.leases.renew(leased.map(({ exp_id, attempt }) => ({ campaign_id, exp_id, attempt })))
  }

  /** The live leases of experiments, by `exp_id`. */
  async states(campaignId: string, experiments: readonly Experiment[]): Promise<ReadonlyMap<string, LeaseState>> {
    const ids = experiments.map(({ exp_id }) => exp_id)
    const leases = await this.options.store.leases.look(campaignId, ids)
    const states = new Map<string, LeaseState>()
    for (const { exp_id, attempt } of experiments) {
      const lease = leases.get(exp_id)
      if (lease?.attempt === attempt) states.set(exp_id, this.stateOf(lease))
    }
    return states
  }

  /** The ids of the experiments from whose present run there was a heartbeat or a report, or whose lease has run out. */
  async heardOf(campaignId: string, experiments: readonly Experiment[]): Promise<ReadonlySet<string>> {
    const ids = experiments.map(({ exp_id }) => exp_id)
    const leases = await this.options.store.leases.look(campaignId, ids)
    const heard = experiments.filter(({ exp_id, attempt }) => {
      const lease = leases.get(exp_id)
      if (lease?.attempt !== attempt) return true
      return lease.heard || lease.idle_seconds >= lease.seconds
    })
    return new Set(heard.map(({ exp_id }) => exp_id))
  }

  /** Ends every expired lease, those of a campaign in one commit. What an earlier sweep took is on its way then too. */
  sweep(): Promise<void> {
    const sweep = this.endExpired().finally(() => this.sweeps.delete(sweep))
    this.sweeps.add(sweep)
    return sweep
  }

  private async endExpired(): Promise<void> {
    const commits: Promise<void>[] = []
    const { leases } = this.options.store
    this.taking += 1
    const taken = this.taken.then(() => leases.takeExpired((expired) => void commits.push(this.expire(expired))))
    this.taken = taken.catch(() => undefined).then(() => void (this.taking -= 1))
    await taken
    await Promise.all(commits)
  }

  private async refuse(campaignId: string, expId: string, beat: Heartbeat): Promise<never> {
    const { campaign } = await this.options.store.read(campaignId)
    return refuseHeartbeat(findExperiment(campaign, expId), campaign.header.uid, beat)
  }

  private async expire(expired: ExpiredLeases): Promise<void> {
    const { campaign_id } = expired
    const { store, onExpired, onError } = this.options
    try {
      const lost = await store.update(campaign_id, (campaign, at) => expireLeases(campaign, expired, at))
      if (lost.length > 0) onExpired(campaign_id, lost)
    } catch (error) {
      // The store keeps no leases of such a campaign.
      if (isRefusal(error, 'campaign-not-found', 'campaign-corrupt')) return
      await store.leases.putBack(expired)
      onError(campaign_id, error)
    }
  }

  private renewedLease({ seconds, cancel }: LiveLease): RenewedLease {
    return { lease_seconds: seconds, lease_expires_at: this.timeIn(seconds), cancel }
  }

  private stateOf({ seconds, idle_seconds, latest }: LiveLease): LeaseState {
    return {
      lease_seconds: seconds,
      lease_expires_at: this.timeIn(seconds - idle_seconds),
      seconds_since_heartbeat: Math.round(idle_seconds * 1000) / 1000,
      progress: latest.progress,
      note: latest.note,
    }
  }

  private timeIn(seconds: number): string {
    return this.timestamps.write(this.options.wall() + seconds * 1000)
  }
}
