import { expect, onTestFinished, test } from 'vitest'
import { Campaign } from '#campaignd/domain/campaign/campaign.js'
import type { EventSink } from '#campaignd/live/event-channel.js'
import { EventHub } from '#campaignd/live/event-hub.js'
import { ChangeFeed } from '#campaignd/repository/change-feed.js'
import { newManifest } from '../support/campaigns/decisions.js'

/** A connection that sends nothing in the turn of the event loop of a write. */
class Sink implements EventSink {
  text = ''
  isDropped = false

  get backlog(): number {
    return this.text.length
  }

  write(bytes: Buffer): void {
    this.text += bytes.toString()
  }

  end(): void {
    this.text += 'end'
  }

  drop(): void {
    this.isDropped = true
  }
}

function openHub() {
  const feed = new ChangeFeed()
  const hub = new EventHub({
    read: () => Promise.reject(new Error('nothing may be read')),
    watch: (id, listener) => feed.watch(id, listener),
    watchAll: (listener) => feed.watchAll(listener),
  })
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
])('a reader of all campaigns that missed $campaigns of them is not dropped', ({ campaigns, events }) => {
  const { feed, read } = openHub()
  const [, id = ''] = /id: (.*)/.exec(read(null).text) ?? []
  for (let count = 0; count < campaigns; count += 1) {
    feed.emit({ type: 'created', campaign: Campaign.of(newManifest(`c${count}`, 1)) })
  }
  const again = read(id)
  expect(again.isDropped).toBe(false)
  expect([...again.text.matchAll(/event: (.*)/g)].map(([, event]) => event)).toEqual(events)
})
