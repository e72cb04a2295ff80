import { setTimeout as sleep } from 'node:timers/promises'
import type { Readiness } from '../campaign-store.ts'
import type { CommitReport } from '../commit-report.ts'
import type { CommitThreads } from './commit/commit-threads.ts'
import type { FileOutcome } from './commit/file-job.ts'
import { reasonOf } from './commit/system-error.ts'

/** How long what was found out holds: the disk is tried once in that time, whoever asks. */
const VALID_MS = 1_000
/** A write that takes longer is taken for one that does not end. */
const PATIENCE_MS = 5_000

const READY: Readiness = { ready: true }
const SLOW: Readiness = { ready: false, reason: `the disk has not ended a write for ${PATIENCE_MS / 1000} s` }

interface Finding {
  readonly at: number
  readonly readiness: Readiness
}

/**
 * Whether a commit could be made, by evidence: one was made just now, or a file can be written in the same place by the same thread.
 * Nothing is written unless somebody asks.
 */
export class CommitProbe {
  private last: Finding | null = null
  private running: Promise<Readiness> | null = null

  constructor(
    private readonly threads: Pick<CommitThreads, 'run'>,
    private readonly temp: () => string,
  ) {}

  /** A deletion needs no room: that it went through says nothing of a write. */
  committed({ outcome, bytes }: CommitReport): void {
    if (outcome === 'durable' && bytes > 0) this.last = { at: performance.now(), readiness: READY }
  }

  readiness(): Promise<Readiness> {
    const { last } = this
    if (last !== null && performance.now() - last.at < VALID_MS) return Promise.resolve(last.readiness)
    this.running ??= this.run()
    return this.running
  }

  /** Those who ask while a write does not end are answered at once, once it has taken too long. */
  private async run(): Promise<Readiness> {
    const patience = new AbortController()
    const tooSlow = sleep(PATIENCE_MS, SLOW, { ref: false, signal: patience.signal }).catch(() => SLOW)
    const readiness = await Promise.race([this.probe(), tooSlow])
    patience.abort()
    return readiness
  }

  private async probe(): Promise<Readiness> {
    const { outcome } = await this.threads.run({ kind: 'probe', temp: this.temp() })
    const readiness = readinessOf(outcome)
    this.last = { at: performance.now(), readiness }
    this.running = null
    return readiness
  }
}

function readinessOf(outcome: FileOutcome): Readiness {
  return outcome.kind === 'done' ? READY : { ready: false, reason: reasonOf(outcome) }
}
