import { randomBytes } from 'node:crypto'
import type { Campaign } from '../domain/campaign/campaign.ts'
import type { CampaignChange, CampaignStore, Unsubscribe } from '../repository/campaign-store.ts'
import type { CampaignFeed } from './campaign-feed.ts'
import { EventChannel, type ChannelOptions } from './event-channel.ts'
import type { EventSink } from './reader-group.ts'
import { changeFrame, goneFrame, snapshotFrame, summaryFrame } from './event-data.ts'
import { EventFrame } from './event-frame.ts'

const COMMENT_MS = 15_000
/** How long the frames of a campaign are kept that nobody reads, for those who come back, in comments. */
const IDLE_COMMENTS = 20
const RING_BYTES = 1024 * 1024
const MAX_BACKLOG = 1024 * 1024
/** Milliseconds after which clients come back after a stop; each is told another time, so that they do not come at once. */
const RETRY_MS = { least: 1000, spread: 2000 }

/** One campaign's channel. */
interface Watched {
  readonly channel: EventChannel
  readonly unlisten: Unsubscribe
  /** As it was committed last; null before anything was committed since there is the channel. */
  campaign: Campaign | null
  /** Comments since somebody read it. */
  idle: number
}

/**
 * Every commit as a Server-Sent Event, for readers of one campaign and of all. A reader is told what it missed or where the
 * campaign stands, and from then on every commit, none twice and none left out. What nobody reads is not kept and not
 * encoded.
 */
export class EventHub {
  private readonly campaigns = new Map<string, Watched>()
  private all: EventChannel | null = null
  /** Ids of events among all campaigns are of this run: after a restart nobody can go on. */
  private readonly boot = randomBytes(4).toString('hex')
  private sequence = 0
  /** Campaigns that were deleted once: revisions of one that has its id by now could be taken for those of the old one. */
  private readonly gone = new Set<string>()
  private readonly ticker: NodeJS.Timeout
  private readonly unsubscribe: Unsubscribe
  private over = false
  private droppedReaders = 0

  constructor(
    private readonly repository: CampaignStore,
    private readonly feed: CampaignFeed,
  ) {
    this.unsubscribe = repository.subscribe((event) => {
      if (isGone(event)) this.gone.add(event.campaign_id)
      this.sequence += 1
      this.all?.publish(summaryFrame(event, this.idOf(this.sequence)))
    })
    this.ticker = setInterval(() => {
      this.tick()
    }, COMMENT_MS).unref()
  }

  /** How many read now. */
  get readers(): number {
    let count = this.all?.readers ?? 0
    for (const { channel } of this.campaigns.values()) count += channel.readers
    return count
  }

  /** How many were cut off since they were too slow. */
  get dropped(): number {
    return this.droppedReaders
  }

  /**
   * Streams one campaign to the sink, from behind the event of the given id if that is known, else from where it stands.
   * @param open makes the sink once there is something to tell
   * @returns ends it on the reader's side; null when the service stops
   * @throws RepositoryError `campaign-not-found` or `campaign-corrupt`
   */
  async readCampaign(
    campaignId: string,
    lastEventId: string | null,
    open: () => EventSink,
  ): Promise<Unsubscribe | null> {
    const read = await this.repository.read(campaignId)
    if (this.over) return null
    const watched = this.campaigns.get(campaignId) ?? this.watch(campaignId, read)
    // What was committed while it was read was told to the channel already.
    const campaign = newer(watched.campaign, read)
    const missed = lastEventId === null || this.gone.has(campaignId) ? null : watched.channel.since(lastEventId)
    return watched.channel.add(open(), missed ?? [snapshotFrame(campaign, lastEventId !== null)])
  }

  /**
   * Streams all campaigns to the sink, in summaries: what changes from now on, or from behind the event of the given id.
   * @returns ends it on the reader's side; null when the service stops
   */
  readAll(lastEventId: string | null, open: () => EventSink): Unsubscribe | null {
    if (this.over) return null
    this.all ??= new EventChannel(this.options, this.idOf(this.sequence))
    const missed = lastEventId === null ? null : this.all.since(lastEventId)
    return this.all.add(open(), missed ?? [beginningFrame(this.all.newest, lastEventId !== null)])
  }

  /** Ends all streams, telling the readers when to come back. */
  end(): void {
    this.over = true
    clearInterval(this.ticker)
    this.unsubscribe()
    for (const { channel, unlisten } of this.campaigns.values()) {
      unlisten()
      channel.end(retryHint)
    }
    this.all?.end(retryHint)
    this.campaigns.clear()
  }

  private watch(campaignId: string, campaign: Campaign): Watched {
    const channel = new EventChannel(this.options, String(campaign.header.revision))
    const unlisten = this.feed.listen(campaignId, (event) => {
      this.tell(campaignId, watched, event)
    })
    const watched: Watched = { channel, unlisten, campaign: null, idle: 0 }
    this.campaigns.set(campaignId, watched)
    return watched
  }

  private tell(campaignId: string, watched: Watched, event: CampaignChange): void {
    if (event.type === 'changed') {
      watched.campaign = event.campaign
      watched.channel.publish(changeFrame(event))
      return
    }
    if (isGone(event)) {
      watched.channel.publish(goneFrame(event, null))
      watched.channel.end()
    }
    this.forget(campaignId, watched)
  }

  private forget(campaignId: string, { channel, unlisten }: Watched): void {
    unlisten()
    channel.end()
    this.campaigns.delete(campaignId)
  }

  private tick(): void {
    this.all?.comment()
    for (const [campaignId, watched] of this.campaigns) {
      watched.channel.comment()
      watched.idle = watched.channel.readers === 0 ? watched.idle + 1 : 0
      if (watched.idle > IDLE_COMMENTS) this.forget(campaignId, watched)
    }
  }

  private get options(): ChannelOptions {
    return {
      ringBytes: RING_BYTES,
      maxBacklog: MAX_BACKLOG,
      onDropped: () => {
        this.droppedReaders += 1
      },
    }
  }

  private idOf(sequence: number): string {
    return `${this.boot}-${sequence}`
  }
}

function isGone(event: CampaignChange): event is Extract<CampaignChange, { type: 'deleted' | 'corrupted' }> {
  return event.type === 'deleted' || event.type === 'corrupted'
}

function newer(told: Campaign | null, read: Campaign): Campaign {
  return told !== null && told.header.revision > read.header.revision ? told : read
}

function beginningFrame(id: string, reset: boolean): EventFrame {
  const data = reset ? '{"reset":true}' : '{}'
  return new EventFrame('snapshot', id, () => data, data.length)
}

function retryHint(): Buffer {
  return Buffer.from(`retry: ${Math.round(RETRY_MS.least + Math.random() * RETRY_MS.spread)}\n\n`)
}
