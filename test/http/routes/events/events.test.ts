import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { campaignDraft, experimentDraft } from '../../../support/campaigns/drafts.js'
import { type EventReader, faultsOfStream, revisionOf, type StreamedEvent } from '../../../support/http/event-reader.js'
import { Scrape } from '../../../support/http/metrics.js'
import { problemsOfEvent } from '../../../support/http/open-api-document.js'
import { follow, openReader } from '../../../support/http/open-reader.js'
import { manifestPath } from '../../../support/store/files.js'
import { TIME_LIMIT } from '../../../support/time-limit.js'

interface Live extends TestCampaign {
  readonly url: string
  /** Reads the events of the campaign, or of all. */
  read(path?: string, lastEventId?: string): EventReader
  /** The same, once the first event has come. */
  follow(path?: string, lastEventId?: string): Promise<EventReader>
}

async function openLive(experiments = 3): Promise<Live> {
  const campaign = await openCampaign(experiments)
  const live = { ...campaign, url: await campaign.listen() }
  const events = `${campaign.path}/events`
  return {
    ...live,
    read: (path = events, lastEventId) => openReader(live.url + path, lastEventId),
    follow: (path = events, lastEventId) => follow(live.url + path, lastEventId),
  }
}

/** Events in short: what they are, and the revision in their ids. */
function inShort(events: readonly StreamedEvent[]): string[] {
  return events.map(({ event, id }) => `${event} ${id === null ? 'without id' : revisionOf(id)}`)
}

async function versionOf(campaign: TestCampaign): Promise<string> {
  const { uid, revision } = await campaign.manifest()
  return `${uid}-${revision}`
}

async function progressOf({ call, path }: TestCampaign): Promise<unknown> {
  return (await call('GET', `${path}/progress`)).json()
}

describe('a stream of one campaign', () => {
  test('a stream of one campaign begins with where it stands, and tells every change as it is in the manifest', async () => {
    const campaign = await openLive()
    const reader = await campaign.follow()
    const [snapshot] = reader.events
    expect(reader.status).toBe(200)
    expect(reader.contentType).toBe('text/event-stream; charset=utf-8')
    expect(snapshot).toMatchObject({ event: 'snapshot', id: await versionOf(campaign) })
    expect(snapshot?.data).toEqual({
      revision: 1,
      created_at: '2026-03-01T12:00:00.000Z',
      progress: await progressOf(campaign),
      benched: [],
    })
    await campaign.report('0002', { status: 'running', worker: 'w' })
    const change = (await reader.count(2)).at(-1)
    expect(change).toMatchObject({ event: 'change', id: await versionOf(campaign) })
    expect(change?.data).toEqual({
      revision: 2,
      previous_revision: 1,
      progress: await progressOf(campaign),
      benched: [],
      experiments: [(await campaign.manifest()).experiments[1]],
    })
  })

  test('a stream of one campaign is silent about reports that change nothing, and about other campaigns', async () => {
    const campaign = await openLive()
    const reader = await campaign.follow()
    await campaign.call('POST', '/v1/campaigns', { body: campaignDraft(1, { campaign_id: 'other' }) })
    await campaign.report('0001', { status: 'pending' })
    await campaign.report('0001', { status: 'running' })
    expect(inShort(await reader.count(2))).toEqual(['snapshot 1', 'change 2'])
  })

  test('a reader that comes back gets one change with what it missed, then every change', async () => {
    const campaign = await openLive(8)
    const first = await campaign.follow()
    await campaign.report('0001', { status: 'running' })
    await first.count(2)
    first.close()
    await campaign.report('0001', { status: 'completed' })
    await campaign.report('0002', { status: 'running' })
    await campaign.report('0001', { result_path: 'results/1.json' })
    const second = await campaign.follow(undefined, first.events.at(-1)?.id ?? '')
    const [missed] = second.events
    expect(missed?.data).toMatchObject({ revision: 5, previous_revision: 2, progress: await progressOf(campaign) })
    const { experiments } = await campaign.manifest()
    expect(missed?.data.experiments).toEqual([experiments[1], experiments[0]])
    await campaign.report('0003', { status: 'running' })
    const events = await second.count(2)
    expect(inShort(events)).toEqual(['change 5', 'change 6'])
    expect(faultsOfStream([...first.events, ...events], 6)).toEqual([])
  })

  test('a reader that was away during a restart gets one change with what it missed', async () => {
    const campaign = await openLive(8)
    const first = await campaign.follow()
    first.close()
    await campaign.report('0001', { status: 'running' })
    await campaign.restart()
    await campaign.report('0002', { status: 'running' })
    const second = await follow(`${await campaign.listen()}${campaign.path}/events`, first.events.at(-1)?.id ?? '')
    const [missed] = second.events
    expect(missed).toMatchObject({ event: 'change', data: { revision: 3, previous_revision: 1 } })
    expect(missed?.data.experiments?.map(({ exp_id }) => exp_id)).toEqual(['0001', '0002'])
  })

  test('a reader at an equal revision of an earlier campaign of the id gets a snapshot with reset, also after a restart', async () => {
    const campaign = await openLive()
    const first = await campaign.follow()
    await campaign.call('DELETE', campaign.path)
    await campaign.call('POST', '/v1/campaigns', { body: campaignDraft(3) })
    await campaign.restart()
    const again = await follow(`${await campaign.listen()}${campaign.path}/events`, first.events[0]?.id ?? '')
    expect(again.events[0]).toMatchObject({ event: 'snapshot', data: { reset: true, revision: 1 } })
  })

  test('a reader that missed nothing gets only later changes', async () => {
    const campaign = await openLive()
    const first = await campaign.follow()
    const second = campaign.read(undefined, first.events[0]?.id ?? '')
    await second.until(() => second.status === 200)
    await campaign.report('0001', { status: 'running' })
    expect(inShort(await second.count(1))).toEqual(['change 2'])
  })

  test.each(['99', 'UID-99', 'UID-0', '0123456789abcdef-1', 'nonsense'])(
    'a reader that comes back with the unknown id %j gets a snapshot with reset',
    async (lastEventId) => {
      const campaign = await openLive()
      const { uid } = await campaign.manifest()
      const reader = await campaign.follow(undefined, lastEventId.replace('UID', uid))
      const [event] = reader.events
      expect(event).toMatchObject({ event: 'snapshot', data: { reset: true, revision: 1 } })
    },
  )

  test('a reader that missed more than half of the experiments gets a snapshot with reset', async () => {
    const campaign = await openLive(4)
    const version = await versionOf(campaign)
    await campaign.report('0001', { status: 'running' })
    await campaign.report('0002', { status: 'running' })
    expect(inShort(await campaign.read(undefined, version).count(1))).toEqual(['change 3'])
    await campaign.report('0003', { status: 'running' })
    const [event] = await campaign.read(undefined, version).count(1)
    expect(event).toMatchObject({ event: 'snapshot', data: { reset: true, revision: 4 } })
  })

  test('a stream of one campaign begins with a snapshot, however many cycles and backends there are', async () => {
    const experiments = Array.from({ length: 5000 }, (_, index) => {
      return experimentDraft(String(index), { cycle_index: index, backend: `b${index}` })
    })
    const campaign = await openLive()
    const body = campaignDraft(0, { campaign_id: 'wide', experiments })
    expect((await campaign.call('POST', '/v1/campaigns', { body })).status).toBe(201)
    const reader = campaign.read('/v1/campaigns/wide/events')
    const [snapshot] = await reader.count(1)
    expect(snapshot?.data.progress).toMatchObject({ total: 5000, by_cycle: null, by_backend: null })
    expect(JSON.stringify(snapshot?.data).length).toBeLessThan(1000)
  })

  test('a stream of one campaign ends with the campaign; one of its name after it is another', async () => {
    const campaign = await openLive()
    const reader = await campaign.follow()
    await campaign.call('DELETE', campaign.path)
    await reader.until(() => reader.ended)
    expect(reader.events.at(-1)).toMatchObject({ event: 'deleted', id: null, data: { campaign_id: 'sweep' } })
    await campaign.call('POST', '/v1/campaigns', { body: campaignDraft(3) })
    const next = await campaign.follow()
    await campaign.report('0001', { status: 'running' })
    await next.count(2)
    const again = campaign.read(undefined, reader.events[0]?.id ?? '')
    expect((await again.count(1))[0]).toMatchObject({ event: 'snapshot', data: { reset: true, revision: 2 } })
  })

  test('a stream of one campaign ends when the file turns out not to be trusted any more', async () => {
    const campaign = await openLive()
    const reader = await campaign.follow()
    writeFileSync(manifestPath(campaign.dataDir, 'sweep'), '{}')
    await campaign.report('0001', { status: 'running' })
    await reader.until(() => reader.ended)
    expect(reader.events.at(-1)).toMatchObject({ event: 'corrupt', data: { campaign_id: 'sweep' } })
  })

  test('a HEAD of a stream of events has its headers only', async () => {
    const campaign = await openLive()
    const head = await fetch(`${campaign.url}${campaign.path}/events`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
    expect((await fetch(`${campaign.url}/v1/campaigns/nothing/events`, { method: 'HEAD' })).status).toBe(404)
  })

  test('a stream of one campaign holds one change event for each commit, and previous_revision links them when a commit holds several', async () => {
    const campaign = await openLive(40)
    const reader = await campaign.follow()
    const ids = Array.from({ length: 40 }, (_, index) => String(index + 1).padStart(4, '0'))
    await Promise.all(ids.map((id) => campaign.report(id, { status: 'running' })))
    await reader.until(() => reader.events.at(-1)?.data.revision === 41)
    expect(reader.events.length).toBeLessThan(41)
    expect(faultsOfStream(reader.events, 41)).toEqual([])
    const told = reader.events.flatMap(({ data }) => data.experiments ?? []).map(({ exp_id }) => exp_id)
    expect(told.sort()).toEqual(ids)
  })
})

describe('while many write', () => {
  /** Reports on and on, until told to stop; returns the revision that the campaign has then. */
  function write(campaign: Live): { stop(): Promise<number> } {
    let over = false
    const writers = ['0001', '0002', '0003'].map(async (id) => {
      for (let count = 1; !over; count += 1) {
        await campaign.report(id, { status: 'running', result_path: String(count) })
      }
    })
    return {
      stop: async () => {
        over = true
        await Promise.all(writers)
        return (await campaign.manifest()).revision
      },
    }
  }

  test('while many write, readers that come and come back at any moment miss nothing and get nothing twice', async () => {
    const campaign = await openLive(8)
    const writing = write(campaign)
    const histories = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        await sleep(index * 17)
        const history = []
        let last: string | undefined
        for (let visits = 0; visits < 4; visits += 1) {
          const reader = campaign.read(undefined, last)
          await reader.count(1 + (index % 5))
          reader.close()
          history.push(...reader.events)
          last = history.at(-1)?.id ?? undefined
        }
        return { history, last }
      }),
    )
    const newest = await writing.stop()
    for (const { history, last } of histories) {
      const reader = campaign.read(undefined, last)
      await reader.until(() => [...history, ...reader.events].at(-1)?.data.revision === newest)
      const events = [...history, ...reader.events]
      expect(events.filter(({ event }) => event === 'snapshot')).toHaveLength(1)
      expect(faultsOfStream(events, newest)).toEqual([])
    }
    // The check is one that fails: for each of them with one event dropped, and with one repeated.
    for (const { history } of histories) {
      const changes = [...history.keys()].slice(1, -1)
      for (const at of changes) expect(faultsOfStream(history.toSpliced(at, 1))).not.toEqual([])
      for (const at of changes) {
        const repeated = history[at]
        if (repeated !== undefined) expect(faultsOfStream(history.toSpliced(at, 0, repeated))).not.toEqual([])
      }
    }
  })

  test('while many write, a reader that stands still is cut off, and the others are not held up', async () => {
    const campaign = await openLive()
    const stalled = await campaign.follow()
    stalled.stall()
    const healthy = await campaign.follow()
    const text = 'x'.repeat(8000)
    // More than the buffers of the connection and the bound together.
    let revision = 1
    for (let round = 0; round < 120; round += 1) {
      const updates = ['0001', '0002', '0003'].map((exp_id) => {
        return { exp_id, status: 'running', error: `${round} ${text}` }
      })
      for (let part = 0; part < 3; part += 1) {
        const one = updates.map((update) => ({ ...update, result_path: `${round} ${part}` }))
        await campaign.reportBatch(one)
        revision += 1
      }
    }
    await healthy.until(() => healthy.events.at(-1)?.data.revision === revision)
    expect(faultsOfStream(healthy.events, revision)).toEqual([])
    await expect.poll(() => campaign.service.events.dropped, { timeout: TIME_LIMIT }).toBe(1)
    expect(campaign.service.events.readers).toBe(1)
    const scrape = new Scrape((await campaign.call('GET', '/metrics')).text)
    expect(scrape.value('campaignd_event_streams_dropped_total')).toBe(1)
    expect(scrape.value('campaignd_event_streams_open')).toBe(1)
  })
})

describe('a change above 256 KiB', () => {
  const COUNT = 1000
  const IDS = Array.from({ length: COUNT }, (_, index) => String(index + 1).padStart(4, '0'))

  /** A campaign in which every experiment failed with a long error; together they are 8 MB. */
  async function openFailed() {
    const campaign = await openLive(COUNT)
    const { dropped } = campaign.service.events
    const error = `Traceback: "\u00e9" ${'x'.repeat(8000)}`
    for (let at = 0; at < COUNT; at += 100) {
      const updates = IDS.slice(at, at + 100).map((exp_id) => ({ exp_id, status: 'failed', error }))
      const { status } = await campaign.call('PATCH', `${campaign.path}/experiments`, { body: { updates } })
      expect(status).toBe(200)
    }
    const skipAll = async () => {
      const updates = IDS.map((exp_id) => ({ exp_id, status: 'skipped' }))
      expect((await campaign.call('PATCH', `${campaign.path}/experiments`, { body: { updates } })).status).toBe(200)
    }
    const dropsSince = () => campaign.service.events.dropped - dropped
    return { ...campaign, skipAll, dropsSince }
  }

  const isComplete = ({ data }: StreamedEvent) => data.part === data.parts
  const idsOf = (events: readonly StreamedEvent[]) =>
    events.flatMap(({ data }) => (data.experiments ?? []).map(({ exp_id }) => exp_id))

  test('a change above 256 KiB is told in parts to every reader, of which only the last has an id', async () => {
    const campaign = await openFailed()
    const readers = [campaign.read(), campaign.read(), campaign.read()]
    for (const reader of readers) await reader.count(1)
    await campaign.skipAll()
    const { revision, experiments } = await campaign.manifest()
    await campaign.report('0001', { status: 'pending' })
    for (const reader of readers) {
      await reader.until(() => reader.events.at(-1)?.data.revision === revision + 1)
      expect(faultsOfStream(reader.events, revision + 1)).toEqual([])
      const parts = reader.events.slice(1, -1)
      expect(parts.length).toBeGreaterThan(8000 / 256)
      expect(Math.max(...parts.map(({ data }) => JSON.stringify(data).length))).toBeLessThan(256 * 1024)
      expect(parts.map(({ data }) => data.part)).toEqual(parts.map((_, index) => index + 1))
      expect(parts.map(({ data }) => data.parts)).toEqual(parts.map(() => parts.length))
      expect(new Set(parts.map(({ data }) => data.previous_revision))).toEqual(new Set([revision - 1]))
      expect(parts.flatMap(({ data }) => data.experiments)).toEqual(experiments)
      for (const { data } of parts.slice(0, 1)) {
        expect(problemsOfEvent('/v1/campaigns/{campaign_id}/events', JSON.stringify(data))).toEqual([])
      }
    }
    expect(campaign.dropsSince()).toBe(0)
  })

  test('a reader that is cut off between two parts resumes before the change, and then gets all of it', async () => {
    const campaign = await openFailed()
    const first = campaign.read()
    await first.count(1)
    const updates = IDS.slice(0, 400).map((exp_id) => ({ exp_id, status: 'skipped' }))
    await campaign.call('PATCH', `${campaign.path}/experiments`, { body: { updates } })
    await first.until(() => first.events.length > 1)
    first.close()
    const events = first.events.filter((event) => !isComplete(event) || event.event === 'snapshot')
    const last = events.findLast(({ id }) => id !== null)?.id ?? ''
    const second = campaign.read(undefined, last)
    await second.until(() => second.events.some(isComplete))
    expect(idsOf(second.events)).toEqual(IDS.slice(0, 400))
    expect(faultsOfStream([...events, ...second.events], (await campaign.manifest()).revision)).toEqual([])
  })

  test('a reader that stops for a while in the middle of a change gets it all, and what came meanwhile', async () => {
    const campaign = await openFailed()
    const slow = campaign.read()
    await slow.count(1)
    slow.stall()
    await campaign.skipAll()
    for (const status of ['pending', 'skipped', 'pending']) await campaign.report('0001', { status })
    slow.resume()
    const { revision } = await campaign.manifest()
    await slow.until(() => slow.events.at(-1)?.data.revision === revision)
    expect(faultsOfStream(slow.events, revision)).toEqual([])
    expect(idsOf(slow.events.slice(1)).slice(0, COUNT)).toEqual(IDS)
    expect(campaign.dropsSince()).toBe(0)
  })

  test('a stream ends with the campaign also in the middle of a change', async () => {
    const campaign = await openFailed()
    const slow = campaign.read()
    await slow.count(1)
    slow.stall()
    await campaign.skipAll()
    await campaign.call('DELETE', `${campaign.path}?force=true`)
    slow.resume()
    await slow.until(() => slow.ended)
    expect(slow.events.at(-1)).toMatchObject({ event: 'deleted', id: null })
  })
})

test('the stream of all campaigns tells what is created, changed and deleted, in summaries', async () => {
  const campaign = await openLive()
  const reader = await campaign.follow('/v1/events')
  const [snapshot] = reader.events
  expect(snapshot).toMatchObject({ event: 'snapshot', data: {} })
  await campaign.call('POST', '/v1/campaigns', { body: campaignDraft(1, { campaign_id: 'other' }) })
  await campaign.report('0001', { status: 'running' })
  await campaign.call('DELETE', '/v1/campaigns/other')
  const [, ...events] = await reader.count(4)
  const progress = await progressOf(campaign)
  expect(events.map(({ event, data }) => ({ event, ...data }))).toEqual([
    { event: 'created', campaign_id: 'other', revision: 1, progress: expect.objectContaining({ total: 1 }) as unknown },
    { event: 'change', campaign_id: 'sweep', revision: 2, previous_revision: 1, progress },
    { event: 'deleted', campaign_id: 'other' },
  ])
  const again = campaign.read('/v1/events', events[0]?.id ?? '')
  expect((await again.count(2)).map(({ id }) => id)).toEqual(events.slice(1).map(({ id }) => id))
  const lost = campaign.read('/v1/events', 'another-run-7')
  expect((await lost.count(1))[0]).toMatchObject({ event: 'snapshot', data: { reset: true } })
})

test('every event is as the document says, of one campaign and of all', async () => {
  const campaign = await openLive()
  const streams = [
    ['/v1/campaigns/{campaign_id}/events', campaign.read()],
    ['/v1/campaigns/{campaign_id}/events', campaign.read(undefined, 'unknown')],
    ['/v1/events', campaign.read('/v1/events')],
    ['/v1/events', campaign.read('/v1/events', 'unknown')],
  ] as const
  for (const [, reader] of streams) await reader.count(1)
  await campaign.call('POST', '/v1/campaigns', { body: campaignDraft(1, { campaign_id: 'other' }) })
  await campaign.report('0001', { status: 'running' })
  await campaign.call('DELETE', `${campaign.path}?force=true`)
  for (const [template, reader] of streams) {
    await reader.until(() => reader.events.at(-1)?.event === 'deleted')
    expect(reader.events.flatMap(({ data }) => problemsOfEvent(template, JSON.stringify(data)))).toEqual([])
  }
})

test('a campaign that is put there by hand is created for those who listen', async () => {
  const campaign = await openLive()
  const reader = await campaign.follow('/v1/events')
  const manifest = { ...(await campaign.manifest()), campaign_id: 'by-hand' }
  writeFileSync(manifestPath(campaign.dataDir, 'by-hand'), JSON.stringify(manifest))
  await campaign.call('GET', '/v1/campaigns/by-hand')
  expect((await reader.count(2)).at(-1)).toMatchObject({ event: 'created', data: { campaign_id: 'by-hand' } })
})

test('a reader whose request finds a campaign that was put there by hand gets its changes', async () => {
  const campaign = await openLive()
  const manifest = { ...(await campaign.manifest()), campaign_id: 'by-hand' }
  writeFileSync(manifestPath(campaign.dataDir, 'by-hand'), JSON.stringify(manifest))
  const reader = await campaign.follow('/v1/campaigns/by-hand/events')
  await campaign.call('PATCH', '/v1/campaigns/by-hand/experiments/0001', { body: { status: 'running' } })
  expect(inShort(await reader.count(2))).toEqual(['snapshot 1', 'change 2'])
})

test('a stop of the service ends the streams at once, and tells when to come back', async () => {
  const campaign = await openLive()
  const readers = [campaign.read(), campaign.read(), campaign.read('/v1/events')]
  for (const reader of readers) await reader.count(1)
  const began = performance.now()
  await campaign.app.close()
  expect(performance.now() - began).toBeLessThan(TIME_LIMIT)
  for (const reader of readers) {
    await reader.until(() => reader.ended)
    expect(reader.others).toEqual([expect.stringMatching(/^retry: [12]\d{3}$|^retry: 3000$/)])
    expect(reader.complete).toBe(true)
  }
})

test('a stream whose service dies is not taken for one that ended', async () => {
  const campaign = await openLive()
  const readers = [campaign.read(), campaign.read('/v1/events')]
  for (const reader of readers) await reader.count(1)
  campaign.app.server.closeAllConnections()
  for (const reader of readers) {
    await reader.until(() => reader.ended)
    expect(reader.complete).toBe(false)
  }
})

test('a reader by HTTP/1.0 gets events without chunks, until its connection ends', async () => {
  const campaign = await openLive()
  const { port } = new URL(campaign.url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(`GET ${campaign.path}/events HTTP/1.0\r\nHost: localhost\r\n\r\n`)
  let text = ''
  socket.setEncoding('utf8').on('data', (bytes: string) => (text += bytes))
  await expect.poll(() => text, { timeout: TIME_LIMIT }).toContain('event: snapshot')
  await campaign.report('0001', { status: 'running' })
  await expect.poll(() => text, { timeout: TIME_LIMIT }).toContain('event: change')
  await campaign.call('DELETE', `${campaign.path}?force=true`)
  await once(socket, 'close')
  const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/s)
  expect(head.toLowerCase()).not.toContain('transfer-encoding')
  expect(body.split('\n\n').map((event) => event.split('\n')[0])).toEqual([
    ...['event: snapshot', 'event: change', 'event: deleted', ''],
  ])
})

test('who goes away leaves nothing behind', async () => {
  const campaign = await openLive()
  const readers = Array.from({ length: 30 }, () => campaign.read())
  for (const reader of readers) await reader.count(1)
  expect(campaign.service.events.readers).toBe(30)
  for (const reader of readers) reader.close()
  await expect.poll(() => campaign.service.events.readers).toBe(0)
})
