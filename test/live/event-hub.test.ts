import { expect, onTestFinished, test } from 'vitest'
import { Campaign } from '#campaignd/domain/campaign/campaign.js'
import { EventHub } from '#campaignd/live/event-hub.js'
import { HeldStates } from '#campaignd/live/held-states.js'
import { withoutChunks } from '#campaignd/live/http-chunk.js'
import type { EventSink, SinkListener } from '#campaignd/live/stream-reader.js'
import { ChangeFeed } from '#campaignd/repository/change-feed.js'
import { MemoryLeaseBook } from '#campaignd/repository/file/leases/memory-lease-book.js'
import { newManifest } from '../support/campaigns/decisions.js'

/** A connection that takes more only when it is drained. */
class Sink implements EventSink {
  text = ''
  isDropped = false
  private listener: SinkListener | null = null

  get backlog(): number {
    return this.text.length
  }

  write(bytes: Buffer): boolean {
    this.text += Buffer.concat([...withoutChunks(bytes)]).toString()
    return false
  }

  listen(listener: SinkListener): void {
    this.listener = listener
  }

  /** Sends everything, until there is no more. */
  async drain(): Promise<void> {
    for (let before = -1; before < this.text.length;) {
      before = this.text.length
      this.listener?.onDrain()
      await nextTurns()
    }
  }

  end(): void {
    this.text += 'end'
  }

  drop(): void {
    this.isDropped = true
  }
}

const nextTurns = () => new Promise((resolve) => setTimeout(resolve, 5))

function openHub() {
  const feed = new ChangeFeed()
  const store = {
    read: () => Promise.reject(new Error('nothing may be read')),
    watch: feed.watch.bind(feed),
    watchAll: feed.watchAll.bind(feed),
    leases: new MemoryLeaseBook(() => 0),
  }
  const hub = new EventHub(store, new HeldStates(store, Infinity))
  onTestFinished(() => {
    hub.end()
  })
  const read = (lastEventId: string | null) => {
    const sink = new Sink()
    hub.subscribeToAll(lastEventId, () => sink)
    return sink
  }
  return { feed, read }
}

test.each([
  { campaigns: 3, events: ['created', 'created', 'created'] },
  { campaigns: 5000, events: ['snapshot'] },
])('a reader of all campaigns that missed $campaigns of them is not dropped', async ({ campaigns, events }) => {
  const { feed, read } = openHub()
  const [, id = ''] = /id: (.*)/.exec(read(null).text) ?? []
  for (let count = 0; count < campaigns; count += 1) {
    feed.emit({ type: 'created', campaign: Campaign.of(newManifest(`c${count}`, 1)), encoded: null })
  }
  const again = read(id)
  await again.drain()
  expect(again.isDropped).toBe(false)
  expect([...again.text.matchAll(/event: (.*)/g)].map(([, event]) => event)).toEqual(events)
})
