import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openCampaign, type TestCampaign } from '../../support/campaigns/campaign.js'
import { EventReader } from '../../support/http/event-reader.js'
import { Scrape } from '../../support/http/metrics.js'
import { RawConnection } from '../../support/http/raw-connection.js'

const PLACES = { maxStreams: 6, maxWaiting: 6 }
const SEED = Number(process.env['CAMPAIGND_TEST_SEED'] ?? 19)
const CLIENTS = 120

/** Numbers below a bound, the same for each run of a seed. */
function randomOf(seed: number): (bound: number) => number {
  let state = seed
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}

function requestOf(method: string, path: string, body = '', headers = ''): string {
  const ofBody = body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`
  return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}${ofBody}\r\n${body}`
}

/** Calls for which something is held, and some that end at once. */
function callsOf(path: string, etag: string): readonly string[] {
  return [
    requestOf('GET', `${path}/events`),
    requestOf('GET', '/v1/events'),
    requestOf('GET', `${path}/progress?wait=60`, '', `If-None-Match: ${etag}\r\n`),
    requestOf('POST', `${path}/claims`, '{"worker":"w2","wait_seconds":60}'),
    requestOf('GET', `${path}/progress`),
    requestOf('GET', '/v1/campaigns/nothing/events'),
    requestOf('GET', '/%'),
  ]
}

/** How a client leaves, some before its first request is looked at. */
const LEAVES: readonly ((connection: RawConnection, pause: () => Promise<unknown>) => unknown)[] = [
  (connection) => {
    connection.reset()
  },
  (connection) => {
    connection.endWriting()
  },
  async (connection, pause) => {
    await pause()
    connection.reset()
  },
  async (connection, pause) => {
    await pause()
    connection.endWriting()
  },
  async (connection, pause) => {
    connection.stopReading()
    await pause()
    connection.reset()
  },
]

async function visit(url: string, calls: readonly string[], random: (bound: number) => number): Promise<void> {
  const connection = await RawConnection.open(url)
  const sent = Array.from({ length: 1 + random(40) }, () => calls[random(calls.length)] ?? '')
  if (random(2) === 0) connection.write(sent.join(''))
  else for (const one of sent) connection.write(one)
  await LEAVES[random(LEAVES.length)]?.(connection, () => sleep(random(80)))
  await sleep(random(40))
  connection.reset()
}

async function held({ call }: TestCampaign): Promise<Record<string, number | undefined>> {
  const scrape = new Scrape((await call('GET', '/metrics')).text)
  const names = ['campaignd_long_lived_calls_open', 'campaignd_event_streams_open', 'campaignd_unsent_bytes']
  return Object.fromEntries(names.map((name) => [name, scrape.value(name)]))
}

test('whatever clients open, pipeline and leave in which order, nothing stays held for them', async () => {
  const campaign = await openCampaign(1, { settings: { max_retries: 1 } }, { limits: PLACES })
  const { call, path, service } = campaign
  const url = await campaign.listen()
  await call('POST', `${path}/claims`, { body: { worker: 'w1' } })
  const etag = (await call('GET', `${path}/progress`)).headers['etag'] ?? ''
  const calls = callsOf(path, etag)
  const random = randomOf(SEED)
  for (let visits = 0; visits < CLIENTS; visits += 8) {
    await Promise.all(Array.from({ length: 8 }, () => visit(url, calls, random)))
  }
  await expect
    .poll(() => held(campaign))
    .toEqual({ campaignd_long_lived_calls_open: 0, campaignd_event_streams_open: 0, campaignd_unsent_bytes: 0 })
  // Each place can be taken again, and no more than there are.
  const readers = Array.from({ length: PLACES.maxStreams }, () => new EventReader(`${url}/v1/events`))
  for (const reader of readers) await reader.count(1)
  expect((await call('GET', '/v1/events')).status).toBe(503)
  for (const reader of readers) reader.close()
  const poll = () => call('GET', `${path}/progress?wait=60`, { headers: { 'if-none-match': etag } })
  const polls = Array.from({ length: PLACES.maxWaiting }, poll)
  await expect.poll(async () => (await held(campaign))['campaignd_long_lived_calls_open']).toBe(PLACES.maxWaiting)
  expect((await poll()).status).toBe(503)
  await call('PATCH', path, { body: { campaign_name: 'changed' } })
  expect((await Promise.all(polls)).map(({ status }) => status)).toEqual(polls.map(() => 200))
  await expect.poll(() => service.events.readers).toBe(0)
})

test('streams that are pipelined behind others take no places before their turn', async () => {
  const { call, path, service, listen } = await openCampaign(1, {}, { limits: PLACES })
  const url = await listen()
  const connection = await RawConnection.open(url)
  connection.write(requestOf('GET', `${path}/events`).repeat(40))
  await expect.poll(() => service.events.readers).toBe(1)
  const reader = new EventReader(url + path + '/events')
  await reader.count(1)
  connection.reset()
  reader.close()
  await expect.poll(() => service.events.readers).toBe(0)
  expect((await call('GET', path)).status).toBe(200)
})

test('an experiment is not handed out to a worker whose connection closed while it waited', async () => {
  const { call, path, report, manifest, listen } = await openCampaign(1, { settings: { max_retries: 1 } })
  const url = await listen()
  await call('POST', `${path}/claims`, { body: { worker: 'w1' } })
  const leaving = Array.from({ length: 20 }, async () => {
    const connection = await RawConnection.open(url)
    connection.write(requestOf('POST', `${path}/claims`, '{"worker":"gone","wait_seconds":60}').repeat(3))
    return connection
  })
  const connections = await Promise.all(leaving)
  await expect
    .poll(async () => new Scrape((await call('GET', '/metrics')).text).value('campaignd_long_lived_calls_open'))
    .toBe(20)
  for (const connection of connections) connection.reset()
  await expect
    .poll(async () => new Scrape((await call('GET', '/metrics')).text).value('campaignd_long_lived_calls_open'))
    .toBe(0)
  await report('0001', { status: 'pending' })
  await call('PATCH', path, { body: { campaign_name: 'changed' } })
  expect((await manifest()).experiments[0]).toMatchObject({ status: 'pending', worker: null })
})
