import { signal } from '@preact/signals'
import { listCampaigns, type CorruptCampaign } from '../api/calls.ts'
import type { StreamEvent } from '../api/event-stream.ts'
import type { CampaignChangeEvent, CampaignGoneEvent } from '../api/events.ts'
import type { Progress } from '../../domain/progress.ts'
import { Follower, type Source } from './follower.ts'

export type ListedRow = Progress | CorruptCampaign

/** All campaigns, as they change. */
export class CampaignListFeed implements Source {
  readonly streamPath = '/events'
  /** Null before they are known. */
  readonly rows = signal<ReadonlyMap<string, ListedRow> | null>(null)
  readonly follower: Follower
  private etag: string | null = null
  private hasStream = false

  constructor() {
    this.follower = new Follower(this)
  }

  async load(signal: AbortSignal): Promise<null> {
    await this.poll(signal)
    return null
  }

  async poll(signal: AbortSignal): Promise<void> {
    const answer = await listCampaigns(this.etag, signal)
    if (answer === null) return
    this.etag = answer.etag
    this.rows.value = new Map(
      answer.body.map((one) => [one.campaign_id, 'progress' in one ? one.progress : one] as const),
    )
  }

  take({ event, data }: StreamEvent): 'taken' | 'reload' {
    if (event === 'snapshot') {
      // Where the stream begins is known now: what changed between the list and that is in a second look.
      const isFirst = !this.hasStream
      this.hasStream = true
      return isFirst || (data as { reset?: boolean }).reset === true ? 'reload' : 'taken'
    }
    if (event === 'corrupt') return 'reload'
    const rows = new Map(this.rows.value)
    if (event === 'deleted') rows.delete((data as CampaignGoneEvent).campaign_id)
    if (event === 'created' || event === 'change') {
      const { campaign_id, progress } = data as CampaignChangeEvent
      rows.set(campaign_id, progress)
    }
    this.rows.value = rows
    return 'taken'
  }
}
