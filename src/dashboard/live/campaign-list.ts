import { signal } from '@preact/signals'
import type { Progress } from '../../domain/views/progress.ts'
import { type CorruptCampaign, listCampaigns } from '../api/calls.ts'
import type { StreamEvent } from '../api/event-stream.ts'
import type { CampaignChangeEvent, CampaignGoneEvent } from '../api/events.ts'
import { Follower, type Source } from './follower.ts'
import { Throttle } from './throttle.ts'

export type ListedRow = Progress | CorruptCampaign

/** All campaigns, as they change. */
export class CampaignListFeed implements Source {
  readonly streamPath = '/events'
  /** Null before the first load. */
  readonly rows = signal<ReadonlyMap<string, ListedRow> | null>(null)
  readonly follower: Follower
  private known = new Map<string, ListedRow>()
  private readonly publishing = new Throttle(() => (this.rows.value = new Map(this.known)))
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
    const response = await listCampaigns(this.etag, signal)
    if (response === null) return
    this.etag = response.etag
    this.known = new Map(response.body.map((one) => [one.campaign_id, 'progress' in one ? one.progress : one] as const))
    this.publishing.run()
  }

  apply({ event, data }: StreamEvent): 'applied' | 'reload' {
    if (event === 'snapshot') {
      // The stream has begun: what changed between the list and its first event is in a second load.
      const isFirst = !this.hasStream
      this.hasStream = true
      return isFirst || (data as { reset?: boolean }).reset === true ? 'reload' : 'applied'
    }
    if (event === 'corrupt') return 'reload'
    if (event === 'deleted') this.known.delete((data as CampaignGoneEvent).campaign_id)
    if (event === 'created' || event === 'change') {
      const { campaign_id, progress } = data as CampaignChangeEvent
      this.known.set(campaign_id, progress)
    }
    this.publishing.request()
    return 'applied'
  }
}
