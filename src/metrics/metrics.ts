import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import type { CampaignStore } from '../repository/campaign-store.ts'
import type { CommitReport } from '../repository/commit-report.ts'
import { CampaignMetrics } from './campaign-metrics.ts'
import { CommitMetrics } from './commit-metrics.ts'
import { RequestMetrics } from './request-metrics.ts'

/** What is read at each scrape. */
export interface MetricSources {
  readonly store: Pick<CampaignStore, 'overviews'>
  readonly leases: { readonly live: number }
  readonly events: { readonly readers: number; readonly dropped: number }
  /** The campaigns could not be read: their metrics are left out. */
  readonly onError: (error: unknown) => void
}

/** The metrics of the service for Prometheus. In a registry of their own, so that several fit in one process. */
export class Metrics {
  private readonly registry = new Registry()
  readonly requests = new RequestMetrics(this.registry)
  private readonly commits = new CommitMetrics(this.registry)
  private readonly campaigns = new CampaignMetrics(this.registry)
  private readonly leasesExpired = new Counter({
    name: 'campaignd_leases_expired_total',
    help: 'Leases that ran out, so that their experiments failed as lost.',
    registers: [this.registry],
  })
  private sources: MetricSources | null = null

  /** The content type of `text()`. */
  get contentType(): string {
    return this.registry.contentType
  }

  committed(report: CommitReport): void {
    this.commits.committed(report)
  }

  expired(leases: number): void {
    this.leasesExpired.inc(leases)
  }

  /** Reports on these from the next scrape on. */
  watch(sources: MetricSources): void {
    this.sources = sources
    const { leases, events } = sources
    this.gauge('campaignd_leases_live', 'Leases that are alive.', () => leases.live)
    this.gauge('campaignd_event_streams_open', 'Open streams of events.', () => events.readers)
    new Counter({
      name: 'campaignd_event_streams_dropped_total',
      help: 'Streams of events that were closed because their readers were too slow.',
      registers: [this.registry],
      collect() {
        this.reset()
        this.inc(events.dropped)
      },
    })
  }

  /** @param age seconds since the lock was refreshed */
  watchLock(age: () => number): void {
    this.gauge(
      'campaignd_lock_refresh_age_seconds',
      'Seconds since the lock of the data directory was refreshed, which is done every 2.5 s; at 12 another process may take it. ' +
        '+Inf once it is lost.',
      age,
    )
  }

  /** Adds what prom-client reports about the process; once a process. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.registry, prefix: 'campaignd_' })
  }

  /** All metrics in the text format 0.0.4. */
  async text(): Promise<string> {
    await this.collectCampaigns()
    return this.registry.metrics()
  }

  private async collectCampaigns(): Promise<void> {
    if (this.sources === null) return
    const { store, onError } = this.sources
    try {
      this.campaigns.update(await store.overviews())
    } catch (error) {
      this.campaigns.clear()
      onError(error)
    }
  }

  private gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(value())
      },
    })
  }
}
