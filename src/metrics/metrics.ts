import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import type { CampaignStore } from '../repository/campaign-store.ts'
import type { CommitReport } from '../repository/commit-report.ts'
import { CampaignMetrics } from './campaign-metrics.ts'
import { CommitMetrics } from './commit-metrics.ts'
import { RequestMetrics } from './request-metrics.ts'

const PREFIX = 'campaignd_'

/** Gauges of prom-client that are named like counters: the sums of those without the suffix. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

/** What is read at each scrape. */
export interface MetricSources {
  readonly store: Pick<CampaignStore, 'overviews'>
  /** The present: RFC 3339, UTC. */
  readonly now: () => string
  readonly leases: { readonly live: number }
  readonly events: { readonly readers: number; readonly dropped: number }
  readonly held: { readonly bytes: number }
  /** The campaigns could not be read: their metrics are left out. */
  readonly onError: (error: unknown) => void
}

export interface WatchedConnections {
  /** Calls for which something is held while they wait. */
  readonly holding: number
  readonly unsent: { readonly bytes: number; readonly cut: number }
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
  private readonly experimentsShrunk = new Counter({
    name: 'campaignd_experiments_shrunk_total',
    help: 'Experiments whose errors were cut since their campaign came near CAMPAIGND_MAX_CAMPAIGN_BYTES.',
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

  shrunk(experiments: number): void {
    this.experimentsShrunk.inc(experiments)
  }

  /** Reports on these from the next scrape on. */
  watch(sources: MetricSources): void {
    this.sources = sources
    const { leases, events, held } = sources
    this.gauge('campaignd_leases_live', 'Leases that are alive.', () => leases.live)
    this.gauge('campaignd_event_streams_open', 'Open streams of events.', () => events.readers)
    this.gauge(
      'campaignd_held_bytes',
      'Bytes of old states that are in memory for slow clients alone.',
      () => held.bytes,
    )
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

  /** What is held for clients. */
  watchConnections(connections: WatchedConnections): void {
    const { unsent } = connections
    this.gauge(
      'campaignd_long_lived_calls_open',
      'Long polls, streams and long downloads that are open.',
      () => connections.holding,
    )
    this.gauge('campaignd_unsent_bytes', 'Bytes that wait for clients.', () => unsent.bytes)
    new Counter({
      name: 'campaignd_connections_cut_total',
      help: 'Connections that were closed because their clients took nothing of what waited for them.',
      registers: [this.registry],
      collect() {
        this.reset()
        this.inc(unsent.cut)
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
    collectDefaultMetrics({ register: this.registry, prefix: PREFIX })
    for (const name of MISNAMED) this.registry.removeSingleMetric(`${PREFIX}${name}`)
  }

  /** All metrics in the text format 0.0.4. */
  async text(): Promise<string> {
    await this.collectCampaigns()
    return this.registry.metrics()
  }

  private async collectCampaigns(): Promise<void> {
    if (this.sources === null) return
    const { store, now, onError } = this.sources
    try {
      this.campaigns.update(await store.overviews(), now())
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
