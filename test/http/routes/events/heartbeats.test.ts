import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { claim, heartbeat } from '../../../support/campaigns/claims.js'
import { type EventReader, faultsOfStream, type StreamedEvent } from '../../../support/http/event-reader.js'
import { problemsOfEvent } from '../../../support/http/open-api-document.js'
import { follow } from '../../../support/http/open-reader.js'

interface Live extends TestCampaign {
  follow(lastEventId?: string): Promise<EventReader>
}

/** A campaign of which w1 runs the first experiments. */
async function openClaimed(limit: number): Promise<Live> {
  const campaign = await openCampaign(4)
  await claim(campaign, { limit })
  const url = `${await campaign.listen()}${campaign.path}/events`
  return { ...campaign, follow: (lastEventId) => follow(url, lastEventId) }
}

/** What the heartbeats among events tell, one after the other. */
function toldIn(events: readonly StreamedEvent[]) {
  return events.flatMap(({ event, data }) => (event === 'heartbeat' ? (data.experiments ?? []) : []))
}

test('a stream of one campaign tells what heartbeats say, many in one event, each run as it stands then', async () => {
  const campaign = await openClaimed(3)
  const reader = await campaign.follow()
  const begin = performance.now()
  for (const progress of [0.1, 0.2, 0.3, 0.4, 0.5]) {
    await heartbeat(campaign, '0001', { attempt: 1, progress })
    await heartbeat(campaign, '0002', { attempt: 1, progress, note: `at ${progress}` })
  }
  const one = { exp_id: '0001', attempt: 1, worker: 'w1', progress: 0.5, note: null }
  const two = { ...one, exp_id: '0002', note: 'at 0.5' }
  await reader.until(() => toldIn(reader.events).some((run) => isDeepStrictEqual(run, two)))
  expect(toldIn(reader.events).findLast(({ exp_id }) => exp_id === '0001')).toEqual(one)
  const [, ...heartbeats] = reader.events
  // However slow the machine: once a second at most.
  expect(heartbeats.length).toBeLessThanOrEqual((performance.now() - begin) / 1000)
  for (const { event, id, data } of heartbeats) {
    expect({ event, id }).toEqual({ event: 'heartbeat', id: null })
    expect(problemsOfEvent('/v1/campaigns/{campaign_id}/events', JSON.stringify(data))).toEqual([])
  }
})

test('a heartbeat that changes neither progress nor note is no event', async () => {
  const campaign = await openClaimed(2)
  await heartbeat(campaign, '0001', { attempt: 1, progress: 0.5, note: 'half' })
  const reader = await campaign.follow()
  await heartbeat(campaign, '0001', { attempt: 1 })
  await heartbeat(campaign, '0001', { attempt: 1, progress: 0.5, note: 'half' })
  await heartbeat(campaign, '0002', { attempt: 1, note: 'new' })
  await reader.count(2)
  expect(toldIn(reader.events)).toEqual([{ exp_id: '0002', attempt: 1, worker: 'w1', progress: null, note: 'new' }])
})

test('events of heartbeats leave ids and previous revisions as they are, and are not repeated for who comes back', async () => {
  const campaign = await openClaimed(1)
  const reader = await campaign.follow()
  await heartbeat(campaign, '0001', { attempt: 1, progress: 0.1 })
  await reader.count(2)
  await campaign.report('0002', { status: 'skipped' })
  await reader.count(3)
  await heartbeat(campaign, '0001', { attempt: 1, progress: 0.2 })
  await reader.count(4)
  await campaign.report('0003', { status: 'skipped' })
  const events = await reader.count(5)
  expect(events.map(({ event }) => event)).toEqual(['snapshot', 'heartbeat', 'change', 'heartbeat', 'change'])
  expect(faultsOfStream(events, 4)).toEqual([])

  const again = await campaign.follow(events[2]?.id ?? '')
  expect(again.events).toMatchObject([{ event: 'change', data: { revision: 4, previous_revision: 3 } }])
})

test('what a heartbeat said of a run is not told once its end was', async () => {
  const campaign = await openClaimed(2)
  const reader = await campaign.follow()
  await heartbeat(campaign, '0001', { attempt: 1, progress: 0.9 })
  await heartbeat(campaign, '0002', { attempt: 1, progress: 0.1 })
  await campaign.report('0001', { status: 'completed', attempt: 1 })
  await reader.until(() => toldIn(reader.events).some(({ exp_id }) => exp_id === '0002'))
  await reader.until(() => reader.events.some(({ event }) => event === 'change'))
  const end = reader.events.findIndex(({ event }) => event === 'change')
  expect(toldIn(reader.events.slice(end)).filter(({ exp_id }) => exp_id === '0001')).toEqual([])
})
