import type { Campaign } from '../../../domain/campaign/campaign.ts'
import type { Experiment } from '../../../domain/experiment/experiment.ts'
import { isBreak, type LongWork } from '../../../domain/long-work.ts'
import { inTurns } from '../../../runtime/turns.ts'
import type { CampaignChange } from '../../campaign-store.ts'
import type { Beat, ExpiredLeases, LeaseBook, LiveLease } from '../../lease-book.ts'
import type { MaybePromise } from '../../maybe-promise.ts'
import { LeaseClock } from './lease-clock.ts'

/** Times are of the lease clock, in milliseconds. */
interface Lease {
  readonly attempt: number
  readonly worker: string | null
  readonly seconds: number
  /** When there was last a sign of the worker: a start, a report or a heartbeat. */
  lastSeen: number
  /** It expired and is being ended: no beat finds it. */
  isTaken: boolean
}

interface CampaignLeases {
  cancel: boolean
  readonly byExperiment: Map<string, Lease>
}

/** The leases of a store that one process owns. In memory only: a heartbeat costs no write. */
export class MemoryLeaseBook implements LeaseBook {
  private readonly campaigns = new Map<string, CampaignLeases>()
  private liveCount = 0
  private readonly clock: LeaseClock

  /** @param monotonic milliseconds from any origin, never going back */
  constructor(monotonic: () => number) {
    this.clock = new LeaseClock(monotonic)
  }

  get live(): number {
    return this.liveCount
  }

  renew(beats: readonly Beat[]): readonly (LiveLease | null)[] {
    return beats.map((beat) => this.renewOne(beat))
  }

  look(campaignId: string, expIds: readonly string[]): ReadonlyMap<string, LiveLease> {
    const found = new Map<string, LiveLease>()
    const leases = this.campaigns.get(campaignId)
    if (leases === undefined) return found
    const now = this.clock.now()
    for (const expId of expIds) {
      const lease = leases.byExperiment.get(expId)
      if (lease?.isTaken === false) found.set(expId, liveLease(lease, now, leases.cancel))
    }
    return found
  }

  takeExpired(): MaybePromise<readonly ExpiredLeases[]> {
    return inTurns(this.expired())
  }

  putBack({ campaign_id, leases }: ExpiredLeases): void {
    for (const { exp_id } of leases) {
      const lease = this.campaigns.get(campaign_id)?.byExperiment.get(exp_id)
      if (lease !== undefined) this.setTaken(lease, false)
    }
  }

  /** Follows what was committed. A lease that continues keeps its age; a new one begins now. */
  observe(change: CampaignChange): void {
    if (change.type === 'deleted' || change.type === 'corrupted') {
      const { campaign_id } = change
      this.forgetAll(this.campaigns.get(campaign_id))
      this.campaigns.delete(campaign_id)
      return
    }
    const { campaign } = change
    const { paused, cancel_running } = campaign.header.settings
    const leases = this.leasesOf(campaign)
    leases.cancel = paused && cancel_running === true
    // Of 100,000 that end together each would be looked for.
    if (campaign.counts.by_status.running === 0) {
      this.forgetAll(leases)
      return
    }
    const changed = change.type === 'created' ? campaign.inStatus('running') : change.experiments
    const now = this.clock.now()
    for (const experiment of changed) this.observeOne(leases.byExperiment, experiment, now)
  }

  private *expired(): LongWork<ExpiredLeases[]> {
    const now = this.clock.now()
    const expired: ExpiredLeases[] = []
    let index = 0
    for (const [campaign_id, { byExperiment }] of this.campaigns) {
      const leases: ExpiredLeases['leases'][number][] = []
      for (const [exp_id, lease] of byExperiment) {
        const idle_seconds = idleSeconds(lease, now)
        if (!lease.isTaken && idle_seconds > lease.seconds) {
          this.setTaken(lease, true)
          leases.push({ exp_id, attempt: lease.attempt, idle_seconds })
        }
        index += 1
        if (isBreak(index)) yield
      }
      if (leases.length > 0) expired.push({ campaign_id, leases })
    }
    return expired
  }

  private setTaken(lease: Lease, isTaken: boolean): void {
    if (lease.isTaken !== isTaken) this.liveCount += isTaken ? -1 : 1
    lease.isTaken = isTaken
  }

  private renewOne({ campaign_id, exp_id, attempt, worker }: Beat): LiveLease | null {
    const leases = this.campaigns.get(campaign_id)
    const lease = leases?.byExperiment.get(exp_id)
    if (leases === undefined || lease === undefined || lease.isTaken) return null
    if (lease.attempt !== attempt || isAnother(lease, worker)) return null
    lease.lastSeen = this.clock.now()
    return liveLease(lease, lease.lastSeen, leases.cancel)
  }

  private leasesOf({ header }: Campaign): CampaignLeases {
    const known = this.campaigns.get(header.campaign_id)
    if (known !== undefined) return known
    const leases = { cancel: false, byExperiment: new Map<string, Lease>() }
    this.campaigns.set(header.campaign_id, leases)
    return leases
  }

  private forgetAll(leases: CampaignLeases | undefined): void {
    if (leases === undefined) return
    for (const { isTaken } of leases.byExperiment.values()) if (!isTaken) this.liveCount -= 1
    leases.byExperiment.clear()
  }

  private observeOne(
    byExperiment: Map<string, Lease>,
    { exp_id, status, lease, attempt, worker }: Experiment,
    now: number,
  ): void {
    const known = byExperiment.get(exp_id)
    const isLive = known?.isTaken === false
    if (isLive) this.liveCount -= 1
    if (status !== 'running' || lease === null) {
      byExperiment.delete(exp_id)
      return
    }
    const continues = isLive && known.attempt === attempt && known.seconds === lease.seconds
    const lastSeen = continues ? known.lastSeen : now
    this.liveCount += 1
    byExperiment.set(exp_id, { attempt, worker, seconds: lease.seconds, lastSeen, isTaken: false })
  }
}

function liveLease(lease: Lease, now: number, cancel: boolean): LiveLease {
  return { attempt: lease.attempt, seconds: lease.seconds, idle_seconds: idleSeconds(lease, now), cancel }
}

function idleSeconds({ lastSeen }: Lease, now: number): number {
  return (now - lastSeen) / 1000
}

function isAnother({ worker }: Lease, named: string | undefined): boolean {
  return worker !== null && named !== undefined && named !== worker
}
