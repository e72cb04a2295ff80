import { batch, signal } from '@preact/signals'
import { campaignPath, readManifest, readProgress } from '../api/calls.ts'
import type { StreamEvent } from '../api/event-stream.ts'
import type { ChangeEvent, SnapshotEvent } from '../api/events.ts'
import type { CampaignHeader } from '../../domain/campaign/manifest.ts'
import type { Progress } from '../../domain/views/progress.ts'
import { ExperimentTable } from '../model/experiment-table.ts'
import { hasEnded } from '../model/pace.ts'
import { Follower, type Source } from './follower.ts'
import { Paced } from './paced.ts'

/** The experiments after one change. The table is changed in place, so that an edition is what tells one state from the next. */
export interface Edition {
  readonly table: ExperimentTable
}

/** One campaign, as it changes. */
export class CampaignFeed implements Source {
  readonly streamPath: string
  readonly progress = signal<Progress | null>(null)
  /** As it was when the campaign was last read whole; null before. */
  readonly header = signal<CampaignHeader | null>(null)
  readonly experiments = signal<Edition | null>(null)
  /** Why it is gone, once it is. */
  readonly gone = signal<'deleted' | 'corrupt' | null>(null)
  readonly follower: Follower
  private table: ExperimentTable | null = null
  private newest: Progress | null = null
  private readonly showing = new Paced(() => this.show())
  private revision = 0
  private etag: string | null = null

  constructor(readonly campaignId: string) {
    this.streamPath = `${campaignPath(campaignId)}/events`
    this.follower = new Follower(this)
  }

  /** The progress comes first: it is small, and says most. */
  async load(signal: AbortSignal): Promise<string> {
    const early = readProgress(this.campaignId, null, signal).then((answer) => {
      if (answer !== null) this.hear(answer.body)
      this.showing.now()
      return answer
    })
    const [{ experiments, ...header }, answer] = await Promise.all([readManifest(this.campaignId, signal), early])
    this.etag = answer?.etag ?? null
    // Another campaign of the same id: its revisions begin anew.
    if (header.uid !== this.header.value?.uid && answer !== null) this.newest = answer.body
    this.revision = header.revision
    this.table = new ExperimentTable(experiments)
    this.header.value = header
    this.showing.now()
    return String(header.revision)
  }

  async poll(signal: AbortSignal): Promise<void> {
    const answer = await readProgress(this.campaignId, this.etag, signal)
    if (answer === null || answer.body.revision === this.revision) return
    await this.load(signal)
  }

  take({ event, data }: StreamEvent): 'taken' | 'reload' | 'over' {
    if (event === 'deleted' || event === 'corrupt') {
      this.gone.value = event
      return 'over'
    }
    if (event === 'snapshot') {
      const { revision, reset } = data as SnapshotEvent
      return reset === true || revision !== this.revision ? 'reload' : 'taken'
    }
    if (event !== 'change') return 'taken'
    const { revision, previous_revision, progress, experiments } = data as ChangeEvent
    if (revision <= this.revision) return 'taken'
    if (previous_revision !== this.revision) return 'reload'
    const wasOver = this.newest !== null && hasEnded(this.newest)
    this.revision = revision
    this.table?.apply(experiments)
    this.hear(progress)
    this.showing.ask()
    // The end is looked at once more as a whole: what people take away from it is what lies on the disk.
    return hasEnded(progress) && !wasOver ? 'reload' : 'taken'
  }

  /** What a call of ours was answered: shown at once, whether the stream is up or not. */
  settle(settings: CampaignHeader['settings']): void {
    if (this.header.value !== null) this.header.value = { ...this.header.value, settings }
  }

  private hear(progress: Progress): void {
    if (progress.revision >= (this.newest?.revision ?? 0)) this.newest = progress
  }

  private show(): void {
    batch(() => {
      this.progress.value = this.newest
      if (this.table !== null) this.experiments.value = { table: this.table }
    })
  }
}
