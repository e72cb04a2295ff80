import { Counter, Histogram, type Registry } from 'prom-client'
import { COMMIT_OUTCOMES, type CommitReport } from '../repository/commit-report.ts'

/** Seconds: from a disk with a cache of its own to one that is about to fail. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const CALLS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

/** The commits of the store. */
export class CommitMetrics {
  private readonly total: Counter<'outcome'>
  private readonly duration: Histogram
  private readonly calls: Histogram
  private readonly bytes: Counter

  constructor(registry: Registry) {
    const registers = [registry]
    this.total = new Counter({
      name: 'campaignd_commits_total',
      help: `Commits that create, change or delete a campaign, by outcome: ${COMMIT_OUTCOMES.join(', ')}.`,
      labelNames: ['outcome'],
      registers,
    })
    // From 0, so that a rate sees the first of each outcome.
    for (const outcome of COMMIT_OUTCOMES) this.total.inc({ outcome }, 0)
    this.duration = new Histogram({
      name: 'campaignd_commit_duration_seconds',
      help: 'Seconds of a commit, whatever its outcome, with the time that it waits for commits of other campaigns.',
      buckets: SECONDS,
      registers,
    })
    const help = 'Calls that shared a commit.'
    this.calls = new Histogram({ name: 'campaignd_commit_calls', help, buckets: CALLS, registers })
    this.bytes = new Counter({
      name: 'campaignd_commit_bytes_total',
      help: 'Bytes of manifests written by commits that became durable.',
      registers,
    })
  }

  committed({ outcome, seconds, calls, bytes }: CommitReport): void {
    this.total.inc({ outcome })
    this.duration.observe(seconds)
    this.calls.observe(calls)
    if (outcome === 'durable') this.bytes.inc(bytes)
  }
}
