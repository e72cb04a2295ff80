import { Gauge, type Registry } from 'prom-client'
import { CAMPAIGN_STATES } from '../domain/campaign/campaign-state.ts'
import { EXPERIMENT_STATUSES } from '../domain/experiment/status.ts'
import { compareTimes } from '../domain/timestamp.ts'
import type { CampaignOverview, CorruptOverview } from '../domain/views/campaign-overview.ts'

/** Campaigns with series of their own: a scraper keeps a series for each of them and each status. */
const LISTED = 50

/** In place of the id, for all other campaigns together: an id begins with a letter or a digit. */
const OTHERS = '_other'

/** The state of the campaigns at a scrape. */
export class CampaignMetrics {
  private readonly campaigns: Gauge<'state'>
  private readonly experiments: Gauge<'status'>
  private readonly byCampaign: Gauge<'campaign_id' | 'status'>
  private readonly bytes: Gauge<'campaign_id'>
  private readonly benched: Gauge

  constructor(registry: Registry) {
    const registers = [registry]
    const help = 'Campaigns by state.'
    this.campaigns = new Gauge({ name: 'campaignd_campaigns', help, labelNames: ['state'], registers })
    this.experiments = new Gauge({
      name: 'campaignd_experiments',
      help: 'Experiments of all campaigns by status.',
      labelNames: ['status'],
      registers,
    })
    this.byCampaign = new Gauge({
      name: 'campaignd_campaign_experiments',
      help:
        `Experiments by campaign and status, of the ${LISTED} campaigns that changed last; those of all others under the ` +
        `campaign_id ${OTHERS}, which no campaign can have.`,
      labelNames: ['campaign_id', 'status'],
      registers,
    })
    this.bytes = new Gauge({
      name: 'campaignd_campaign_bytes',
      help: `Bytes of the manifest of a campaign, of the ${LISTED} that changed last.`,
      labelNames: ['campaign_id'],
      registers,
    })
    this.benched = new Gauge({
      name: 'campaignd_workers_benched',
      help: 'Workers that get nothing for a while, since all their newest runs failed; once for each campaign.',
      registers,
    })
  }

  /** @param now RFC 3339 */
  update(overviews: readonly (CampaignOverview | CorruptOverview)[], now: string): void {
    this.clear()
    for (const state of CAMPAIGN_STATES) this.campaigns.set({ state }, 0)
    for (const status of EXPERIMENT_STATUSES) {
      this.experiments.set({ status }, 0)
      this.byCampaign.set({ campaign_id: OTHERS, status }, 0)
    }
    this.benched.set(0)
    for (const { state } of overviews) this.campaigns.inc({ state })
    const readable = overviews.filter((one) => one.counts !== null).sort(newestFirst)
    for (const [index, { campaign_id, counts, bytes, benched }] of readable.entries()) {
      this.count(index < LISTED ? campaign_id : OTHERS, counts)
      this.benched.inc(benched(now))
      if (index < LISTED) this.bytes.set({ campaign_id }, bytes)
    }
  }

  /** Removes all values: outdated ones would look current. */
  clear(): void {
    this.campaigns.reset()
    this.experiments.reset()
    this.byCampaign.reset()
    this.bytes.reset()
    this.benched.reset()
  }

  private count(campaign_id: string, counts: CampaignOverview['counts']): void {
    for (const status of EXPERIMENT_STATUSES) {
      this.experiments.inc({ status }, counts[status])
      this.byCampaign.inc({ campaign_id, status }, counts[status])
    }
  }
}

function newestFirst(a: CampaignOverview, b: CampaignOverview): number {
  return compareTimes(b.updated_at, a.updated_at) || (a.campaign_id < b.campaign_id ? -1 : 1)
}
