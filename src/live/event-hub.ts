import { randomBytes } from 'node:crypto'
import type {
  CampaignChange,
  CampaignStore,
  Committed,
  OverviewChange,
  Unsubscribe,
} from '../repository/campaign-store.ts'
import { type ChannelOptions, EventChannel } from './event-channel.ts'
import {
  beginningFrame,
  firstEvents,
  goneFrame,
  MAX_MISSED,
  missedEvents,
  overviewFrame,
  snapshotEvents,
} from './event-data.ts'
import { EventSequence } from './event-sequence.ts'
import { HeartbeatDigest } from './heartbeats/heartbeat-digest.ts'
import type { HeldStates } from './held-states.ts'
import { httpChunk } from './http-chunk.ts'
import { OrderedChanges } from './ordered-changes.ts'
import { RecentChanges } from './recent-changes.ts'
import type { EventSink } from './stream-reader.ts'

const KEEP_ALIVE_MS = 15_000
const MAX_BACKLOG = 1024 * 1024
/** When clients reconnect after a stop: each gets its own delay, so that they do not come at once. */
const RETRY_MS = { least: 1000, spread: 2000 }

/** A campaign with readers, or with some that are about to be added. */
interface WatchedCampaign {
  readonly channel: EventChannel
  readonly changes: OrderedChanges
  readonly unwatch: Unsubscribe
  /** The state of the last event. Null before the first reader. */
  newest: Committed | null
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
  private readonly options: Omit<ChannelOptions, 'catchUp' | 'beginAnew'>

  constructor(
    private readonly store: Pick<CampaignStore, 'read' | 'watch' | 'watchAll' | 'leases'>,
    held: HeldStates,
  ) {
    const onDropped = () => {
      this.droppedReaders += 1
    }
    this.options = { maxBacklog: MAX_BACKLOG, held, onDropped }
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
      const read = await this.store.read(campaignId)
      // What was read is not told to this reader once more.
      await watched.changes.published()
      if (this.ended) return null
      // The read found a new file, or the campaign was deleted meanwhile: nothing is published to this channel any more.
      if (this.campaigns.get(campaignId) !== watched) return await this.subscribe(campaignId, lastEventId, open)
      watched.newest = newer(watched.newest, read)
      const remove = watched.channel.add(open(), firstEvents(watched.newest, lastEventId))
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
    this.all ??= this.openAll()
    const sequence = this.sequenceOf(lastEventId)
    const isNew = lastEventId === null
    return this.all.channel.add(open(), sequence === null ? this.beginning(!isNew) : this.missedOfAll(sequence))
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

  private openAll() {
    const channel = new EventChannel({
      ...this.options,
      catchUp: (sequence) => this.missedOfAll(sequence),
      beginAnew: () => this.beginning(true),
    })
    return { channel, recent: new RecentChanges(this.sequence) }
  }

  /** What changed among all campaigns after the event of that number; when that is not known any more or too much, a snapshot. */
  private missedOfAll(sequence: number): EventSequence {
    const missed = this.all?.recent.since(sequence, this.sequence) ?? null
    if (missed === null || missed.length > MAX_MISSED) return this.beginning(true)
    return new EventSequence(missed, this.sequence)
  }

  private beginning(reset: boolean): EventSequence {
    return new EventSequence([beginningFrame(this.idOf(this.sequence), reset)], this.sequence)
  }

  private watch(campaignId: string): WatchedCampaign {
    const newest = () => {
      if (watched.newest === null) throw new Error(`${campaignId} has a reader, but was not read`)
      return watched.newest
    }
    const channel = new EventChannel({
      ...this.options,
      catchUp: (revision) => missedEvents(newest(), revision),
      beginAnew: () => snapshotEvents(newest(), true),
    })
    const changes = new OrderedChanges({
      hasReaders: () => channel.readers > 0,
      publish: (change, events) => {
        this.publish(campaignId, watched, change, events)
      },
    })
    const unwatchChanges = this.store.watch(campaignId, (change) => {
      changes.add(change)
    })
    const heartbeats = new HeartbeatDigest({
      ...{ leases: this.store.leases, campaignId },
      newest: () => watched.newest?.campaign ?? null,
      publish: channel.publishToLive.bind(channel),
    })
    const unwatch = () => {
      unwatchChanges()
      heartbeats.end()
    }
    const watched: WatchedCampaign = { channel, changes, unwatch, newest: null, opening: 0 }
    this.campaigns.set(campaignId, watched)
    return watched
  }

  private publish(
    campaignId: string,
    watched: WatchedCampaign,
    change: CampaignChange,
    events: EventSequence | null,
  ): void {
    if (change.type === 'changed') {
      watched.newest = change
      if (events !== null) watched.channel.publishSequence(events)
      return
    }
    const last = change.type === 'created' ? null : goneFrame(change, null)
    this.forget(campaignId, watched, last === null ? null : () => last.bytes)
  }

  private publishToAll(change: OverviewChange): void {
    this.sequence += 1
    if (this.all === null) return
    const frame = overviewFrame(change, this.idOf(this.sequence))
    const campaignId = 'overview' in change ? change.overview.campaign_id : change.campaign_id
    this.all.recent.push(campaignId, this.sequence, frame)
    this.all.channel.publish(frame, this.sequence)
  }

  private forgetUnread(campaignId: string, watched: WatchedCampaign): void {
    if (watched.opening === 0 && watched.channel.readers === 0) this.forget(campaignId, watched)
  }

  private forget(campaignId: string, watched: WatchedCampaign, lastBytes: (() => Buffer) | null = null): void {
    watched.unwatch()
    watched.channel.end(lastBytes)
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

function newer(published: Committed | null, read: Committed): Committed {
  return published !== null && published.campaign.header.revision > read.campaign.header.revision ? published : read
}

function retryHint(): Buffer {
  const milliseconds = Math.round(RETRY_MS.least + Math.random() * RETRY_MS.spread)
  return httpChunk([Buffer.from(`retry: ${milliseconds}\n\n`)])
}
