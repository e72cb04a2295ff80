import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import type { CommitReport, CampaignStore } from '../repository/campaign-store.ts'
import { CampaignMetrics } from './campaign-metrics.ts'
import { CommitMetrics } from './commit-metrics.ts'
import { RequestMetrics } from './request-metrics.ts'

/** What is looked at when the metrics are asked for. */
export interface Watched {
  readonly repository: Pick<CampaignStore, 'overviews'>
  readonly leases: { readonly live: number }
  readonly events: { readonly readers: number; readonly dropped: number }
  /** The campaigns could not be counted: what is told of them is left out. */
  readonly onError: (error: unknown) => void
}

/** The service in figures, as Prometheus reads them. In a registry of its own, so that several fit in one process. */
export class Metrics {
  private readonly registry = new Registry()
  readonly requests = new RequestMetrics(this.registry)
  private readonly commits = new CommitMetrics(this.registry)
  private readonly campaigns = new CampaignMetrics(this.registry)
  private readonly leasesExpired = new Counter({
    name: 'campaignd_leases_expired_total',
    help: 'Leases that ran out, so that their experiments were given up for lost.',
    registers: [this.registry],
  })
  private watched: Watched | null = null

  /** What the answer has as its content type. */
  get contentType(): string {
    return this.registry.contentType
  }

  committed(report: CommitReport): void {
    this.commits.committed(report)
  }

  expired(leases: number): void {
    this.leasesExpired.inc(leases)
  }

  /** Tells what there is in the service from now on. */
  watch(watched: Watched): void {
    this.watched = watched
    const { leases, events } = watched
    this.gauge('campaignd_leases_live', 'Leases that are alive.', () => leases.live)
    this.gauge('campaignd_event_streams_open', 'Streams of events that are read now.', () => events.readers)
    new Counter({
      name: 'campaignd_event_streams_dropped_total',
      help: 'Streams of events that were cut off, since their readers were too slow.',
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
      'Seconds since the lock of the data directory was refreshed. It is every 2.5 s; at 10 another process may take it. +Inf once ' +
        'it is lost.',
      age,
    )
  }

  /** Tells what prom-client knows of the process as well; once a process. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.registry, prefix: 'campaignd_' })
  }

  /** All of it in the text format 0.0.4. */
  async text(): Promise<string> {
    await this.lookAtCampaigns()
    return this.registry.metrics()
  }

  private async lookAtCampaigns(): Promise<void> {
    if (this.watched === null) return
    const { repository, onError } = this.watched
    try {
      this.campaigns.show(await repository.overviews())
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
