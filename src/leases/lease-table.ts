import type { Campaign } from '../domain/campaign/campaign.ts'
import type { Experiment } from '../domain/experiment/experiment.ts'
import type { ExpiredLease } from '../domain/operations/expire-leases.ts'

/** A lease that is alive. Times are of the lease clock, in milliseconds. */
export interface LiveLease {
  readonly attempt: number
  readonly worker: string | null
  readonly seconds: number
  /** When the worker was last heard of: at the start, by a report or by a heartbeat. */
  lastSeen: number
}

interface CampaignLeases {
  cancel: boolean
  readonly byExperiment: Map<string, LiveLease>
}

/** A campaign's leases that ran out, taken from the table. */
export interface Expired {
  readonly campaign_id: string
  readonly leases: readonly (ExpiredLease & { readonly live: LiveLease })[]
}

/**
 * The live leases of all campaigns and when each worker was last heard of. In memory only: a heartbeat costs no write.
 * What is committed decides which leases there are; this table only knows how fresh they are.
 */
export class LeaseTable {
  private readonly campaigns = new Map<string, CampaignLeases>()
  private count = 0

  /** How many are alive. */
  get size(): number {
    return this.count
  }

  get(campaignId: string, expId: string): LiveLease | undefined {
    return this.campaigns.get(campaignId)?.byExperiment.get(expId)
  }

  /** True when the workers of the campaign are to stop. */
  isCancelled(campaignId: string): boolean {
    return this.campaigns.get(campaignId)?.cancel ?? false
  }

  /** Takes in what was committed of experiments. A lease that goes on keeps its age; a new one begins now. */
  observe({ header }: Campaign, experiments: Iterable<Experiment>, now: number): void {
    const { campaign_id, settings } = header
    const leases = this.campaigns.get(campaign_id) ?? { cancel: false, byExperiment: new Map<string, LiveLease>() }
    this.campaigns.set(campaign_id, leases)
    leases.cancel = settings.paused && settings.cancel_running === true
    for (const experiment of experiments) this.observeOne(leases.byExperiment, experiment, now)
  }

  forget(campaignId: string): void {
    this.count -= this.campaigns.get(campaignId)?.byExperiment.size ?? 0
    this.campaigns.delete(campaignId)
  }

  /** Takes out all that ran out by now: from then on no heartbeat finds them. */
  takeExpired(now: number): Expired[] {
    const expired: Expired[] = []
    for (const [campaign_id, { byExperiment }] of this.campaigns) {
      const leases: Expired['leases'][number][] = []
      for (const [exp_id, live] of byExperiment) {
        const idleSeconds = (now - live.lastSeen) / 1000
        if (idleSeconds > live.seconds) leases.push({ exp_id, attempt: live.attempt, idleSeconds, live })
      }
      for (const { exp_id } of leases) byExperiment.delete(exp_id)
      this.count -= leases.length
      if (leases.length > 0) expired.push({ campaign_id, leases })
    }
    return expired
  }

  /** Puts back what could not be given up, unless something newer was committed since. */
  putBack({ campaign_id, leases }: Expired): void {
    const byExperiment = this.campaigns.get(campaign_id)?.byExperiment
    if (byExperiment === undefined) return
    for (const { exp_id, live } of leases) {
      if (byExperiment.has(exp_id)) continue
      byExperiment.set(exp_id, live)
      this.count += 1
    }
  }

  private observeOne(
    byExperiment: Map<string, LiveLease>,
    { exp_id, status, lease, attempt, worker }: Experiment,
    now: number,
  ): void {
    const known = byExperiment.get(exp_id)
    if (status !== 'running' || lease === null) {
      if (byExperiment.delete(exp_id)) this.count -= 1
      return
    }
    const goesOn = known?.attempt === attempt && known.seconds === lease.seconds
    byExperiment.set(exp_id, { attempt, worker, seconds: lease.seconds, lastSeen: goesOn ? known.lastSeen : now })
    if (known === undefined) this.count += 1
  }
}
