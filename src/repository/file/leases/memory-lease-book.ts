import type { Campaign } from '../../../domain/campaign/campaign.ts'
import type { Experiment } from '../../../domain/experiment/experiment.ts'
import { runIdOf } from '../../../domain/experiment/run-id.ts'
import { NOTHING_TOLD, type RunProgress, withNews } from '../../../domain/experiment/run-progress.ts'
import { isBreak, type LongWork } from '../../../domain/long-work.ts'
import type { ExpiredLease, ExpiredLeases } from '../../../domain/operations/expire-leases.ts'
import { inTurns } from '../../../runtime/turns.ts'
import type { CampaignChange } from '../../campaign-store.ts'
import type { Beat, LeaseBook, LiveLease } from '../../lease-book.ts'
import type { MaybePromise } from '../../maybe-promise.ts'
import { LeaseClock } from './lease-clock.ts'

/** Times are of the lease clock, in milliseconds. */
interface Lease {
  readonly attempt: number
  readonly worker: string | null
  readonly seconds: number
  /** When there was last a sign of the worker: a start, a report or a heartbeat. */
  lastSeen: number
  /** Whether there was a heartbeat or a report since it began. */
  heard: boolean
  latest: RunProgress
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
  /** Of the campaigns that somebody watches. */
  private readonly listeners = new Map<string, Set<(expId: string) => void>>()
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

  watch(campaignId: string, onNews: (expId: string) => void): () => void {
    const listeners = this.listeners.get(campaignId) ?? new Set()
    this.listeners.set(campaignId, listeners.add(onNews))
    return () => {
      listeners.delete(onNews)
      if (listeners.size === 0 && this.listeners.get(campaignId) === listeners) this.listeners.delete(campaignId)
    }
  }

  takeExpired(onTaken: (expired: ExpiredLeases) => void): MaybePromise<void> {
    return inTurns(this.take(onTaken))
  }

  putBack(expired: ExpiredLeases): MaybePromise<void> {
    return inTurns(this.return(expired))
  }

  /** Follows what was committed. A lease that continues keeps its age; a new one begins now. */
  observe(change: CampaignChange): void {
    if (change.type === 'deleted' || change.type === 'corrupted') {
      this.campaigns.delete(change.campaign_id)
      return
    }
    const { campaign } = change
    const leases = this.leasesOf(campaign)
    leases.cancel = campaign.header.cancel_running
    const changed = change.type === 'created' ? campaign.inStatus('running') : change.experiments
    const now = this.clock.now()
    for (const experiment of changed) this.observeOne(leases.byExperiment, experiment, now)
  }

  private *take(onTaken: (expired: ExpiredLeases) => void): LongWork<void> {
    const now = this.clock.now()
    let index = 0
    for (const [campaign_id, ofCampaign] of this.campaigns) {
      const { uid } = ofCampaign.campaign.header
      const leases: ExpiredLease[] = []
      for (const [exp_id, lease] of ofCampaign.byExperiment) {
        const idle_seconds = idleSeconds(lease, now)
        if (idle_seconds > lease.seconds) {
          // Here and not at the commit that ends them, where 100,000 would go in one turn.
          ofCampaign.byExperiment.delete(exp_id)
          const revision = ofCampaign.campaign.get(exp_id)?.revision ?? 0
          leases.push({ exp_id, attempt: lease.attempt, revision, idle_seconds, latest: lease.latest })
        }
        index += 1
        if (isBreak(index)) yield
      }
      if (leases.length > 0) onTaken({ campaign_id, uid, leases })
    }
  }

  private *return({ campaign_id, uid, leases }: ExpiredLeases): LongWork<void> {
    for (const [index, { exp_id, attempt, revision, idle_seconds, latest }] of leases.entries()) {
      const known = this.campaigns.get(campaign_id)
      if (known?.campaign.header.uid !== uid) return
      const now = known.campaign.get(exp_id)
      // One that changed since has a new lease, or none.
      if (now?.revision === revision && now.attempt === attempt && now.lease !== null) {
        const lastSeen = this.clock.now() - idle_seconds * 1000
        // Its time was over: a claim cannot be repeated by it any more.
        const lease = { attempt, worker: now.worker, seconds: now.lease.seconds, lastSeen, heard: true, latest }
        known.byExperiment.set(exp_id, lease)
      }
      if (isBreak(index)) yield
    }
  }

  private renewOne(beat: Beat): LiveLease | null {
    const leases = this.campaigns.get(beat.campaign_id)
    const lease = leases?.byExperiment.get(beat.exp_id)
    if (leases === undefined || lease === undefined) return null
    if (!isOf(lease, leases.campaign.header.uid, beat)) return null
    lease.lastSeen = this.clock.now()
    lease.heard = true
    // Most beats tell nothing, and cost no more for those that do.
    if (beat.progress !== undefined || beat.note !== undefined) this.keepNews(lease, beat)
    return liveLease(lease, lease.lastSeen, leases.cancel)
  }

  private keepNews(lease: Lease, beat: Beat): void {
    const latest = withNews(lease.latest, beat)
    if (latest === lease.latest) return
    lease.latest = latest
    for (const onNews of this.listeners.get(beat.campaign_id) ?? []) onNews(beat.exp_id)
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
    const ofAttempt = known?.attempt === attempt ? known : undefined
    const continued = ofAttempt?.seconds === lease.seconds ? ofAttempt : undefined
    const { lastSeen, heard } = continued ?? { lastSeen: now, heard: false }
    const latest = ofAttempt?.latest ?? NOTHING_TOLD
    byExperiment.set(exp_id, { attempt, worker, seconds: lease.seconds, lastSeen, heard, latest })
  }
}

function liveLease(lease: Lease, now: number, cancel: boolean): LiveLease {
  const { attempt, seconds, heard, latest } = lease
  return { attempt, seconds, idle_seconds: idleSeconds(lease, now), heard, cancel, latest }
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
