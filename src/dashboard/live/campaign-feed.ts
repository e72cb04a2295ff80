import { batch, signal } from '@preact/signals'
import type { CampaignHeader } from '../../domain/campaign/manifest.ts'
import type { Progress } from '../../domain/views/progress.ts'
import { campaignPath, listWorkers, readManifest, readProgress } from '../api/calls.ts'
import type { StreamEvent } from '../api/event-stream.ts'
import type { ChangeEvent, HeartbeatEvent, RunNews, SnapshotEvent } from '../api/events.ts'
import { ExperimentTable } from '../model/experiment-table.ts'
import { hasEnded } from '../model/pace.ts'
import { Follower, type Source } from './follower.ts'
import { Throttle } from './throttle.ts'

/** The experiments after one change. The table is changed in place; a new edition marks the change. */
export interface Edition {
  readonly table: ExperimentTable
}

/** One campaign, as it changes. */
export class CampaignFeed implements Source {
  readonly streamPath: string
  readonly progress = signal<Progress | null>(null)
  /** As it was when it was last read; null before. No event has it. */
  readonly header = signal<CampaignHeader | null>(null)
  readonly experiments = signal<Edition | null>(null)
  /** What heartbeats told of runs, by experiment. Of those that began before the stream only once it is loaded. */
  readonly runs = signal<ReadonlyMap<string, RunNews>>(new Map())
  /** Why the campaign is gone; null while it is there. */
  readonly gone = signal<'deleted' | 'corrupt' | null>(null)
  readonly follower: Follower
  private table: ExperimentTable | null = null
  private newest: Progress | null = null
  private readonly publishing = new Throttle(() => this.publish())
  private revision = 0
  /** Of the experiments in the parts of a change so far. */
  private told = new Set<number>()
  private etag: string | null = null

  constructor(readonly campaignId: string) {
    this.streamPath = `${campaignPath(campaignId)}/events`
    this.follower = new Follower(this)
  }

  /** Shows the progress first: it is small, and the manifest may be large. */
  async load(signal: AbortSignal): Promise<string> {
    const early = readProgress(this.campaignId, null, signal).then((response) => {
      if (response !== null) this.keepNewest(response.body)
      this.publishing.run()
      return response
    })
    const [{ experiments, ...header }, first] = await Promise.all([readManifest(this.campaignId, signal), early])
    // The stream goes on from the manifest: what happened before it and after the progress no event would tell.
    const isBehind = first === null || first.body.revision < header.revision
    const response = isBehind ? await readProgress(this.campaignId, null, signal) : first
    if (response !== null) this.keepNewest(response.body)
    this.etag = response?.etag ?? null
    // Another campaign under the same id: its revisions start again.
    if (header.uid !== this.header.value?.uid && response !== null) this.newest = response.body
    this.revision = header.revision
    this.table = new ExperimentTable(experiments)
    this.header.value = header
    this.publishing.run()
    return `${header.uid}-${header.revision}`
  }

  async poll(signal: AbortSignal): Promise<void> {
    const response = await readProgress(this.campaignId, this.etag, signal)
    if (response === null || response.body.revision === this.revision) return
    await this.load(signal)
  }

  apply({ event, data }: StreamEvent): 'applied' | 'reload' | 'ended' {
    if (event === 'deleted' || event === 'corrupt') {
      this.gone.value = event
      return 'ended'
    }
    if (event === 'snapshot') {
      const { revision, reset } = data as SnapshotEvent
      return reset === true || revision !== this.revision ? 'reload' : 'applied'
    }
    if (event === 'heartbeat') this.addRuns((data as HeartbeatEvent).experiments)
    if (event !== 'change') return 'applied'
    const { revision, previous_revision, progress, experiments, part, parts } = data as ChangeEvent
    if (revision <= this.revision) return 'applied'
    if (previous_revision !== this.revision) return 'reload'
    this.table?.apply(experiments)
    for (const one of experiments) this.told.add(one.revision)
    // A stream that breaks before the last part resumes before the change.
    if (part !== parts) return 'applied'
    const isAllTold = this.told.size === revision - previous_revision
    this.told = new Set()
    const hadEnded = this.newest !== null && hasEnded(this.newest)
    this.revision = revision
    this.keepNewest(progress)
    this.publishing.request()
    // A revision of which no experiment is told may have changed the header.
    const isHeaderOld = !isAllTold && (this.header.value?.revision ?? 0) < revision
    // At the end all is loaded once more: what people take from the page is then what the disk has.
    return isHeaderOld || (hasEnded(progress) && !hadEnded) ? 'reload' : 'applied'
  }

  /** Shows the header that a PATCH returned at once, whether the stream is up or not. */
  applyHeader(header: CampaignHeader): void {
    const { uid, revision } = this.header.value ?? header
    if (header.uid === uid && header.revision >= revision) this.header.value = header
  }

  /** Loads what heartbeats told until now: no event repeats it. */
  async loadRuns(signal: AbortSignal): Promise<void> {
    this.addRuns((await listWorkers(this.campaignId, signal)).workers)
  }

  private addRuns(news: readonly RunNews[]): void {
    // What has ended is told no more, and needs no room.
    const isCurrent = ({ exp_id, attempt }: RunNews) => {
      const experiment = this.table?.get(exp_id)?.experiment
      return experiment?.status === 'running' && experiment.attempt === attempt
    }
    const runs = [...this.runs.peek().values(), ...news].filter(isCurrent)
    this.runs.value = new Map(
      runs.map(({ exp_id, attempt, progress, note }) => [exp_id, { exp_id, attempt, progress, note }]),
    )
  }

  private keepNewest(progress: Progress): void {
    if (progress.revision >= (this.newest?.revision ?? 0)) this.newest = progress
  }

  private publish(): void {
    batch(() => {
      this.progress.value = this.newest
      if (this.table !== null) this.experiments.value = { table: this.table }
    })
  }
}
