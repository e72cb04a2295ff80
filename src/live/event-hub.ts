import { randomBytes } from 'node:crypto'
import type { Campaign } from '../domain/campaign/campaign.ts'
import type { CampaignChange, CampaignStore, OverviewChange, Unsubscribe } from '../repository/campaign-store.ts'
import { EventChannel, type ChannelOptions } from './event-channel.ts'
import { beginningFrame, catchUpFrames, changeFrame, goneFrame, isTooMuch, overviewFrame } from './event-data.ts'
import { RecentChanges } from './recent-changes.ts'
import type { EventSink } from './reader-group.ts'

const COMMENT_MS = 15_000
const MAX_BACKLOG = 1024 * 1024
/** Milliseconds after which clients come back after a stop; each is told another time, so that they do not come at once. */
const RETRY_MS = { least: 1000, spread: 2000 }

/** One campaign that is read, or is about to be. */
interface Watched {
  readonly channel: EventChannel
  readonly unwatch: Unsubscribe
  /** As it was committed last; null before anything was committed while it is watched. */
  campaign: Campaign | null
  /** Readers who are about to be added. */
  opening: number
}

/** All campaigns, once somebody reads them. */
interface WatchedAll {
  readonly channel: EventChannel
  readonly recent: RecentChanges
}

/**
 * Every commit as a Server-Sent Event, for readers of one campaign and of all. A reader is told where the campaign stands, or
 * what was missed since an event, and from then on every commit, none twice and none left out. What nobody reads is not
 * encoded.
 */
export class EventHub {
  private readonly campaigns = new Map<string, Watched>()
  private all: WatchedAll | null = null
  /** Ids of events among all campaigns are of this process. */
  private readonly boot = randomBytes(4).toString('hex')
  private sequence = 0
  private readonly ticker: NodeJS.Timeout
  private readonly unwatchAll: Unsubscribe
  private ended = false
  private droppedReaders = 0

  constructor(private readonly store: Pick<CampaignStore, 'read' | 'watch' | 'watchAll'>) {
    this.unwatchAll = store.watchAll((change) => {
      this.publishToAll(change)
    })
    this.ticker = setInterval(() => {
      this.comment()
    }, COMMENT_MS).unref()
  }

  /** How many read now. */
  get readers(): number {
    let count = this.all?.channel.readers ?? 0
    for (const { channel } of this.campaigns.values()) count += channel.readers
    return count
  }

  /** How many were cut off since they were too slow. */
  get dropped(): number {
    return this.droppedReaders
  }

  /**
   * Streams one campaign to the sink: what was missed since the event of the given id, else where it stands, and then every
   * commit.
   * @param open makes the sink once there is something to tell
   * @returns ends it on the reader's side; null when the service stops
   * @throws RepositoryError `campaign-not-found` or `campaign-corrupt`
   */
  async readCampaign(
    campaignId: string,
    lastEventId: string | null,
    open: () => EventSink,
  ): Promise<Unsubscribe | null> {
    // Watched before it is read: nothing that is committed in between is missed.
    const watched = this.campaigns.get(campaignId) ?? this.watch(campaignId)
    watched.opening += 1
    try {
      const { campaign: read } = await this.store.read(campaignId)
      if (this.ended) return null
      // The read found a file, or the campaign went meanwhile: this channel is told nothing any more.
      if (this.campaigns.get(campaignId) !== watched) return await this.readCampaign(campaignId, lastEventId, open)
      const campaign = newer(watched.campaign, read)
      const remove = watched.channel.add(open(), catchUpFrames(campaign, lastEventId))
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
   * Streams all campaigns to the sink, in short: what changed since the event of the given id, if it is of this process, and then
   * every commit.
   * @returns ends it on the reader's side; null when the service stops
   */
  readAll(lastEventId: string | null, open: () => EventSink): Unsubscribe | null {
    if (this.ended) return null
    this.all ??= { channel: new EventChannel(this.options), recent: new RecentChanges(this.sequence) }
    const { channel, recent } = this.all
    const sequence = this.sequenceOf(lastEventId)
    const missed = sequence === null ? null : recent.since(sequence, this.sequence)
    const first =
      missed === null || isTooMuch(missed) ? [beginningFrame(this.idOf(this.sequence), lastEventId !== null)] : missed
    return channel.add(open(), first)
  }

  /** Ends all streams, telling the readers when to come back. */
  end(): void {
    this.ended = true
    clearInterval(this.ticker)
    this.unwatchAll()
    for (const { channel, unwatch } of this.campaigns.values()) {
      unwatch()
      channel.end(retryHint)
    }
    this.all?.channel.end(retryHint)
    this.campaigns.clear()
  }

  private watch(campaignId: string): Watched {
    const channel = new EventChannel(this.options)
    const unwatch = this.store.watch(campaignId, (change) => {
      this.publish(campaignId, watched, change)
    })
    const watched: Watched = { channel, unwatch, campaign: null, opening: 0 }
    this.campaigns.set(campaignId, watched)
    return watched
  }

  private publish(campaignId: string, watched: Watched, change: CampaignChange): void {
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

  private forgetUnread(campaignId: string, watched: Watched): void {
    if (watched.opening === 0 && watched.channel.readers === 0) this.forget(campaignId, watched)
  }

  private forget(campaignId: string, watched: Watched): void {
    watched.unwatch()
    watched.channel.end()
    if (this.campaigns.get(campaignId) === watched) this.campaigns.delete(campaignId)
  }

  private comment(): void {
    this.all?.channel.comment()
    for (const { channel } of this.campaigns.values()) channel.comment()
  }

  private get options(): ChannelOptions {
    return {
      maxBacklog: MAX_BACKLOG,
      onDropped: () => {
        this.droppedReaders += 1
      },
    }
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

function newer(told: Campaign | null, read: Campaign): Campaign {
  return told !== null && told.header.revision > read.header.revision ? told : read
}

function retryHint(): Buffer {
  return Buffer.from(`retry: ${Math.round(RETRY_MS.least + Math.random() * RETRY_MS.spread)}\n\n`)
}
