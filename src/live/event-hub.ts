import { randomBytes } from 'node:crypto'
import type { Campaign } from '../domain/campaign/campaign.ts'
import type { CampaignChange, CampaignStore, OverviewChange, Unsubscribe } from '../repository/campaign-store.ts'
import { type ChannelOptions, EventChannel, type EventSink } from './event-channel.ts'
import { beginningFrame, catchUpFrames, changeFrame, goneFrame, isTooMuch, overviewFrame } from './event-data.ts'
import { RecentChanges } from './recent-changes.ts'

const KEEP_ALIVE_MS = 15_000
const MAX_BACKLOG = 1024 * 1024
/** When clients reconnect after a stop: each gets its own delay, so that they do not come at once. */
const RETRY_MS = { least: 1000, spread: 2000 }

/** A campaign with readers, or with some that are about to be added. */
interface WatchedCampaign {
  readonly channel: EventChannel
  readonly unwatch: Unsubscribe
  /** As of the last commit; null before the first one since it is watched. */
  campaign: Campaign | null
  /** Readers that are about to be added. */
  opening: number
}

/**
 * Publishes every commit as a Server-Sent Event, to readers of one campaign and of all. A reader first gets the current state, or
 * what it missed since an event, and then every commit exactly once. What nobody reads is not encoded.
 */
export class EventHub {
  private readonly campaigns = new Map<string, WatchedCampaign>()
  /** All campaigns; null before the first reader. */
  private all: { readonly channel: EventChannel; readonly recent: RecentChanges } | null = null
  /** Ids of events among all campaigns belong to one process. */
  private readonly boot = randomBytes(4).toString('hex')
  private sequence = 0
  private readonly ticker: NodeJS.Timeout
  private readonly unwatchAll: Unsubscribe
  private ended = false
  private droppedReaders = 0
  private readonly options: ChannelOptions = {
    maxBacklog: MAX_BACKLOG,
    onDropped: () => {
      this.droppedReaders += 1
    },
  }

  constructor(private readonly store: Pick<CampaignStore, 'read' | 'watch' | 'watchAll'>) {
    this.unwatchAll = store.watchAll((change) => {
      this.publishToAll(change)
    })
    this.ticker = setInterval(() => {
      for (const channel of this.channels()) channel.keepAlive()
    }, KEEP_ALIVE_MS).unref()
  }

  /** How many streams are open. */
  get readers(): number {
    return this.channels().reduce((sum, { readers }) => sum + readers, 0)
  }

  /** How many streams were closed because their readers were too slow. */
  get dropped(): number {
    return this.droppedReaders
  }

  /**
   * Streams one campaign: what was missed since the event of the id, else the current state, and then every commit.
   * @param open makes the sink, once there is something to write
   * @returns ends the stream on the reader's side; null when the service stops
   * @throws RepositoryError `campaign-not-found` or `campaign-corrupt`
   */
  async subscribe(campaignId: string, lastEventId: string | null, open: () => EventSink): Promise<Unsubscribe | null> {
    // Watched before it is read, so that no commit between the two is missed.
    const watched = this.campaigns.get(campaignId) ?? this.watch(campaignId)
    watched.opening += 1
    try {
      const { campaign: read } = await this.store.read(campaignId)
      if (this.ended) return null
      // The read found a new file, or the campaign was deleted meanwhile: nothing is published to this channel any more.
      if (this.campaigns.get(campaignId) !== watched) return await this.subscribe(campaignId, lastEventId, open)
      const remove = watched.channel.add(open(), catchUpFrames(newer(watched.campaign, read), lastEventId))
      return () => {
        remove()
        this.forgetUnread(campaignId, watched)
      }
    } finally {
      watched.opening -= 1
      this.forgetUnread(campaignId, watched)
    }
  }

  /**
   * Streams all campaigns, in summaries: what changed since the event of the id, if it is of this process, and then every commit.
   * @returns ends the stream on the reader's side; null when the service stops
   */
  subscribeToAll(lastEventId: string | null, open: () => EventSink): Unsubscribe | null {
    if (this.ended) return null
    this.all ??= { channel: new EventChannel(this.options), recent: new RecentChanges(this.sequence) }
    const { channel, recent } = this.all
    const sequence = this.sequenceOf(lastEventId)
    const missed = sequence === null ? null : recent.since(sequence, this.sequence)
    const isResumed = missed !== null && !isTooMuch(missed)
    return channel.add(open(), isResumed ? missed : [beginningFrame(this.idOf(this.sequence), lastEventId !== null)])
  }

  /** Ends all streams, each with a hint when to reconnect. */
  end(): void {
    this.ended = true
    clearInterval(this.ticker)
    this.unwatchAll()
    for (const { unwatch } of this.campaigns.values()) unwatch()
    for (const channel of this.channels()) channel.end(retryHint)
    this.campaigns.clear()
  }

  private channels(): EventChannel[] {
    const channels = [...this.campaigns.values()].map(({ channel }) => channel)
    return this.all === null ? channels : [this.all.channel, ...channels]
  }

  private watch(campaignId: string): WatchedCampaign {
    const channel = new EventChannel(this.options)
    const unwatch = this.store.watch(campaignId, (change) => {
      this.publish(campaignId, watched, change)
    })
    const watched: WatchedCampaign = { channel, unwatch, campaign: null, opening: 0 }
    this.campaigns.set(campaignId, watched)
    return watched
  }

  private publish(campaignId: string, watched: WatchedCampaign, change: CampaignChange): void {
    if (change.type === 'changed') {
      watched.campaign = change.campaign
      watched.channel.publish(changeFrame(change))
      return
    }
    if (change.type !== 'created') watched.channel.publish(goneFrame(change, null))
    this.forget(campaignId, watched)
  }

  private publishToAll(change: OverviewChange): void {
    this.sequence += 1
    if (this.all === null) return
    const frame = overviewFrame(change, this.idOf(this.sequence))
    const campaignId = 'overview' in change ? change.overview.campaign_id : change.campaign_id
    this.all.recent.push(campaignId, this.sequence, frame)
    this.all.channel.publish(frame)
  }

  private forgetUnread(campaignId: string, watched: WatchedCampaign): void {
    if (watched.opening === 0 && watched.channel.readers === 0) this.forget(campaignId, watched)
  }

  private forget(campaignId: string, watched: WatchedCampaign): void {
    watched.unwatch()
    watched.channel.end()
    if (this.campaigns.get(campaignId) === watched) this.campaigns.delete(campaignId)
  }

  private idOf(sequence: number): string {
    return `${this.boot}-${sequence}`
  }

  /** Null for an id that is not of this process. */
  private sequenceOf(id: string | null): number | null {
    const [, boot, sequence] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id ?? '') ?? []
    return boot === this.boot && sequence !== undefined ? Number(sequence) : null
  }
}

function newer(published: Campaign | null, read: Campaign): Campaign {
  return published !== null && published.header.revision > read.header.revision ? published : read
}

function retryHint(): Buffer {
  return Buffer.from(`retry: ${Math.round(RETRY_MS.least + Math.random() * RETRY_MS.spread)}\n\n`)
}
