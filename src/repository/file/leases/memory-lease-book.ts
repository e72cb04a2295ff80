import type { Campaign } from '../../../domain/campaign/campaign.ts'
import type { Experiment } from '../../../domain/experiment/experiment.ts'
import { runIdOf } from '../../../domain/experiment/run-id.ts'
import { isBreak, type LongWork } from '../../../domain/long-work.ts'
import type { ExpiredLease } from '../../../domain/operations/expire-leases.ts'
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
}

interface CampaignLeases {
  /** As it is committed. */
  campaign: Campaign
  cancel: boolean
  readonly byExperiment: Map<string, Lease>
}

/** The leases of a store that one process owns. In memory only: a heartbeat costs no write. */
export class MemoryLeaseBook implements LeaseBook {
  private readonly campaigns = new Map<string, CampaignLeases>()
  /** Those that are being ended, in the order in which they were told. */
  private readonly taken = new WeakMap<ExpiredLeases, readonly Lease[]>()
  private readonly clock: LeaseClock

  /** @param monotonic milliseconds from any origin, never going back */
  constructor(monotonic: () => number) {
    this.clock = new LeaseClock(monotonic)
  }

  get live(): number {
    let count = 0
    for (const { byExperiment } of this.campaigns.values()) count += byExperiment.size
    return count
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
      if (lease !== undefined) found.set(expId, liveLease(lease, now, leases.cancel))
    }
    return found
  }

  takeExpired(): MaybePromise<readonly ExpiredLeases[]> {
    return inTurns(this.expired())
  }

  putBack(expired: ExpiredLeases): void {
    const leases = this.campaigns.get(expired.campaign_id)
    const taken = this.taken.get(expired)
    if (leases?.campaign.header.uid !== expired.uid || taken === undefined) return
    for (const [index, { exp_id, attempt }] of expired.leases.entries()) {
      const lease = taken[index]
      const now = leases.campaign.get(exp_id)
      const holds = now?.status === 'running' && now.lease !== null && now.attempt === attempt
      if (lease !== undefined && holds && !leases.byExperiment.has(exp_id)) leases.byExperiment.set(exp_id, lease)
    }
  }

  /** Follows what was committed. A lease that continues keeps its age; a new one begins now. */
  observe(change: CampaignChange): void {
    if (change.type === 'deleted' || change.type === 'corrupted') {
      this.campaigns.delete(change.campaign_id)
      return
    }
    const { campaign } = change
    const { paused, cancel_running } = campaign.header.settings
    const leases = this.leasesOf(campaign)
    leases.cancel = paused && cancel_running === true
    const changed = change.type === 'created' ? campaign.inStatus('running') : change.experiments
    const now = this.clock.now()
    for (const experiment of changed) this.observeOne(leases.byExperiment, experiment, now)
  }

  private *expired(): LongWork<ExpiredLeases[]> {
    const now = this.clock.now()
    const expired: ExpiredLeases[] = []
    let index = 0
    for (const [campaign_id, { campaign, byExperiment }] of this.campaigns) {
      const leases: ExpiredLease[] = []
      const taken: Lease[] = []
      for (const [exp_id, lease] of byExperiment) {
        const idle_seconds = idleSeconds(lease, now)
        if (idle_seconds > lease.seconds) {
          // Here and not at the commit that ends them, where 100,000 would go in one turn.
          byExperiment.delete(exp_id)
          leases.push({ exp_id, attempt: lease.attempt, idle_seconds })
          taken.push(lease)
        }
        index += 1
        if (isBreak(index)) yield
      }
      if (leases.length === 0) continue
      const ofCampaign = { campaign_id, uid: campaign.header.uid, leases }
      this.taken.set(ofCampaign, taken)
      expired.push(ofCampaign)
    }
    return expired
  }

  private renewOne(beat: Beat): LiveLease | null {
    const leases = this.campaigns.get(beat.campaign_id)
    const lease = leases?.byExperiment.get(beat.exp_id)
    if (leases === undefined || lease === undefined) return null
    if (!isOf(lease, leases.campaign.header.uid, beat)) return null
    lease.lastSeen = this.clock.now()
    return liveLease(lease, lease.lastSeen, leases.cancel)
  }

  private leasesOf(campaign: Campaign): CampaignLeases {
    const { header } = campaign
    const known = this.campaigns.get(header.campaign_id)
    if (known !== undefined) {
      known.campaign = campaign
      return known
    }
    const leases = { campaign, cancel: false, byExperiment: new Map<string, Lease>() }
    this.campaigns.set(header.campaign_id, leases)
    return leases
  }

  private observeOne(
    byExperiment: Map<string, Lease>,
    { exp_id, status, lease, attempt, worker }: Experiment,
    now: number,
  ): void {
    const known = byExperiment.get(exp_id)
    if (status !== 'running' || lease === null) {
      byExperiment.delete(exp_id)
      return
    }
    const continues = known?.attempt === attempt && known.seconds === lease.seconds
    const lastSeen = continues ? known.lastSeen : now
    byExperiment.set(exp_id, { attempt, worker, seconds: lease.seconds, lastSeen })
  }
}

function liveLease(lease: Lease, now: number, cancel: boolean): LiveLease {
  return { attempt: lease.attempt, seconds: lease.seconds, idle_seconds: idleSeconds(lease, now), cancel }
}

function idleSeconds({ lastSeen }: Lease, now: number): number {
  return (now - lastSeen) / 1000
}

/** @param uid of the campaign */
function isOf(lease: Lease, uid: string, { exp_id, run_id, attempt, worker }: Beat): boolean {
  if (attempt !== undefined && attempt !== lease.attempt) return false
  if (run_id !== undefined && run_id !== runIdOf(uid, { exp_id, attempt: lease.attempt })) return false
  return worker === undefined || lease.worker === null || worker === lease.worker
}
