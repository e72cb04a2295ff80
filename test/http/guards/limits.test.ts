import { expect, onTestFinished, test, vi } from 'vitest'
import { openCampaign } from '../../support/campaigns/campaign.js'
import { newManifest } from '../../support/campaigns/decisions.js'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { follow } from '../../support/http/open-reader.js'
import { expectProblem, verdict } from '../../support/http/problems.js'
import { type AppReply, openApp } from '../../support/service/app.js'
import { testTokens } from '../../support/service/tokens.js'
import { bytesOf, layManifest } from '../../support/store/files.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

const SWEEP = '/v1/campaigns/sweep'

function labels(count: number, prefix = 'label'): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}-${index}`, 'x']))
}

function numbered(from: number, to: number): ReturnType<typeof experimentDraft>[] {
  return Array.from({ length: to - from + 1 }, (_, index) => experimentDraft(String(from + index).padStart(4, '0')))
}

test('a campaign has as many experiments as is allowed, and no more', async () => {
  const { call, dataDir } = await openApp({ limits: { maxExperiments: 5 } })
  const empty = bytesOf(dataDir)
  const tooMany = await call('POST', '/v1/campaigns', { body: campaignDraft(6) })
  expect(verdict(tooMany)).toBe('400 invalid /experiments')
  expect(tooMany.text).toContain('more than 5 experiments')
  expect(bytesOf(dataDir)).toEqual(empty)
  expect((await call('POST', '/v1/campaigns', { body: campaignDraft(4) })).status).toBe(201)
  const append = (from: number, to: number) =>
    call('POST', `${SWEEP}/experiments`, { body: { experiments: numbered(from, to) } })
  const before = bytesOf(dataDir)
  expect(verdict(await append(5, 6))).toBe('400 invalid /experiments')
  expect(bytesOf(dataDir)).toEqual(before)
  expect((await append(5, 5)).status).toBe(201)
  expect((await append(5, 5)).status).toBe(200)
  expect(verdict(await append(6, 6))).toBe('400 invalid /experiments')
})

test('by default a campaign may have 100,000 experiments', async () => {
  const { call } = await openApp()
  const small = Array.from({ length: 100_001 }, (_, index) => ({
    ...experimentDraft(String(index)),
    config_name: 'x',
    config_path: 'x',
    config_hash: '',
  }))
  const body = { ...campaignDraft(1), experiments: small }
  const reply = await call('POST', '/v1/campaigns', { body })
  expect(verdict(reply)).toBe('400 invalid /experiments')
  expect(reply.text).toContain('100000')
})

test('a campaign has as many labels as is allowed, and no more', async () => {
  const { call } = await openApp({ limits: { maxLabels: 3 } })
  const tooMany = await call('POST', '/v1/campaigns', { body: campaignDraft(1, { labels: labels(4) }) })
  expect(verdict(tooMany)).toBe('400 invalid /labels')
  await call('POST', '/v1/campaigns', { body: campaignDraft(1, { labels: labels(3) }) })
  const patch = (given: Record<string, string | null>) => call('PATCH', SWEEP, { body: { labels: given } })
  expect(verdict(await patch({ one: 'more' }))).toBe('400 invalid /labels')
  expect(await patch({ one: 'more', 'label-0': null })).toMatchObject({ status: 200 })
})

test('a campaign with more labels than the limit of today can still be changed, and lose some', async () => {
  const dataDir = temporaryDirectory()
  layManifest(dataDir, 'sweep', JSON.stringify(newManifest('sweep', 2, { labels: labels(5) })))
  const { call } = await openApp({ dataDir, limits: { maxLabels: 2, maxExperiments: 1 } })
  const patch = (body: object) => call('PATCH', SWEEP, { body })
  expect(await patch({ campaign_name: 'another' })).toMatchObject({ status: 200 })
  expect(await patch({ labels: { 'label-0': 'y', 'label-1': null } })).toMatchObject({ status: 200 })
  expect(verdict(await patch({ labels: { new: 'x' } }))).toBe('400 invalid /labels')
  expect((await call('PATCH', `${SWEEP}/experiments/0002`, { body: { status: 'running' } })).status).toBe(200)
})

test('a long poll above the limit is refused with the limit and its setting, and accepted once another has ended', async () => {
  const { call, path, report, app } = await openCampaign(
    3,
    { settings: { max_retries: 1 } },
    { limits: { maxWaiting: 2 } },
  )
  await call('POST', `${path}/claims`, { body: { worker: 'w1', limit: 3 } })
  const etag = (await call('GET', `${path}/progress`)).headers['etag'] ?? ''
  const poll = () => call('GET', `${path}/progress?wait=60`, { headers: { 'if-none-match': etag } })
  const held = [poll(), call('POST', `${path}/claims`, { body: { worker: 'w2', wait_seconds: 1 } })]
  await new Promise((resolve) => setTimeout(resolve, 200))
  for (const refused of [
    await poll(),
    await call('POST', `${path}/claims`, { body: { worker: 'w3', wait_seconds: 60 } }),
  ]) {
    const { detail } = expectProblem(refused, 503, 'too-many-waiting')
    expect(detail).toBe('The limit of 2 long polls is reached (CAMPAIGND_MAX_WAITING).')
    expect(refused.headers['retry-after']).toBe('5')
  }
  expect((await call('GET', `${path}/progress`)).status).toBe(200)
  expect((await call('GET', `${path}/progress?wait=60`)).status).toBe(200)
  expect((await held[1])?.status).toBe(200)
  const next = poll()
  await new Promise((resolve) => setTimeout(resolve, 100))
  expectProblem(await poll(), 503, 'too-many-waiting')
  await report('0001', { status: 'completed', attempt: 1 })
  expect([(await held[0])?.status, (await next).status]).toEqual([200, 200])
  await app.close()
})

test.each([{ maxStreams: 2 }, { maxStreamsPerAddress: 2 }])(
  'with %j a stream above the limit is refused until another has ended',
  async (limits) => {
    const { service, call, path, listen } = await openCampaign(1, {}, { limits })
    const url = await listen()
    const first = await follow(`${url}${path}/events`)
    await follow(`${url}/v1/events`)
    for (const what of [`${path}/events`, '/v1/events']) {
      const refused = await call('GET', what)
      const { detail } = expectProblem(refused, 503, 'too-many-streams')
      expect(detail).toMatch(
        /^The limit of 2 streams of events( from this address)? is reached \(CAMPAIGND_MAX_STREAMS/,
      )
      expect(refused.headers['retry-after']).toBe('5')
    }
    first.close()
    await expect.poll(() => service.events.readers).toBe(1)
    // A stream that ends with a problem is not counted any longer.
    for (let round = 0; round < 3; round += 1) {
      expectProblem(await call('GET', '/v1/campaigns/nothing/events'), 404, 'campaign-not-found')
    }
    await follow(`${url}/v1/events`)
  },
)

const known = testTokens()

async function burst(call: () => Promise<AppReply>, count: number): Promise<AppReply[]> {
  return Promise.all(Array.from({ length: count }, call))
}

/** A second lasts until the test lets it go by. */
function stopSeconds(): void {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
}

test('each token has a rate limit of its own, and health has none', async () => {
  stopSeconds()
  const { call } = await openApp({ limits: { rateLimit: 5 }, access: { tokens: () => known.tokens } })
  const list = (headers: Readonly<Record<string, string>>) => () => call('GET', '/v1/campaigns', { headers })
  const replies = await burst(list(known.as('read')), 12)
  const refused = replies.filter(({ status }) => status !== 200)
  expect(refused).toHaveLength(7)
  for (const reply of refused) {
    expectProblem(reply, 429, 'too-many-requests')
    expect(reply.headers['retry-after']).toBe('1')
  }
  expect((await call('GET', '/v1/campaigns', { headers: known.as('work') })).status).toBe(200)
  for (const { status } of await burst(() => call('GET', '/healthz'), 20)) expect(status).toBe(200)
  vi.advanceTimersByTime(1001)
  expect((await call('GET', '/v1/campaigns', { headers: known.as('read') })).status).toBe(200)
})

test('requests without a token are limited by address, and guessed tokens are counted', async () => {
  stopSeconds()
  const { call } = await openApp({ limits: { rateLimit: 5 }, access: { tokens: () => known.tokens } })
  const guess = () => call('GET', '/v1/campaigns', { headers: { authorization: `Bearer ${Math.random()}` } })
  const statuses = (await burst(guess, 12)).map(({ status }) => status)
  expect(statuses.filter((status) => status === 429)).toHaveLength(7)
  expect(statuses.filter((status) => status === 401)).toHaveLength(5)
  expect((await call('GET', '/v1/campaigns', { headers: known.as('read') })).status).toBe(200)
})

test('heartbeats and reports of known callers are outside the rate limit', async () => {
  stopSeconds()
  const { call } = await openApp({ limits: { rateLimit: 5 }, access: { tokens: () => known.tokens } })
  const experiments = '/v1/campaigns/none/experiments'
  const calls = [
    ['POST', `${experiments}/1/heartbeat`, { attempt: 1 }],
    ['PATCH', `${experiments}/1`, { status: 'completed' }],
    ['PATCH', experiments, { updates: [{ exp_id: '1', status: 'completed' }] }],
  ] as const
  for (const [method, path, body] of calls) {
    const replies = await burst(() => call(method, path, { headers: known.as('work'), body }), 12)
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([404]))
    const guesses = await burst(() => call(method, path, { headers: { authorization: 'Bearer guessed' }, body }), 12)
    expect(guesses.some(({ status }) => status === 429)).toBe(true)
  }
})

test('a HEAD counts once for the rate limit', async () => {
  stopSeconds()
  const { call } = await openApp({ limits: { rateLimit: 4 } })
  const replies = await burst(() => call('HEAD', '/v1/campaigns'), 4)
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200])
})

test('by default there is no rate limit', async () => {
  const { call } = await openApp()
  for (const { status } of await burst(() => call('GET', '/v1/campaigns'), 300)) expect(status).toBe(200)
})

/** Keeps the event loop busy. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

test('when the event loop is late, reads are refused before writes, and health and heartbeats never', async () => {
  const { call, path, report } = await openCampaign(5, {}, { limits: { maxLag: 300 } })
  await call('POST', `${path}/claims`, { body: { worker: 'w1' } })
  const calls = () => [
    call('GET', path),
    call('GET', '/v1/campaigns'),
    call('GET', '/docs'),
    report('0002', { status: 'running', worker: 'w2' }),
    call('POST', `${path}/retry`),
    call('POST', `${path}/experiments/0001/heartbeat`, { body: { attempt: 1, worker: 'w1' } }),
    call('GET', '/healthz'),
    call('GET', '/readyz'),
  ]
  const after = async (milliseconds: number) => {
    await new Promise((resolve) => setTimeout(resolve, 1000))
    block(milliseconds)
    const replies = await Promise.all(calls())
    for (const reply of replies.filter(({ status }) => status === 503)) {
      expectProblem(reply, 503, 'overloaded')
      expect(reply.headers['retry-after']).toBe('1')
    }
    return replies.map(({ status }) => status)
  }
  // What else the machine does makes the service late too: until it did not.
  await expect.poll(() => after(0)).toEqual([200, 200, 200, 200, 200, 200, 200, 200])
  await expect.poll(() => after(800)).toEqual([503, 503, 503, 200, 200, 200, 200, 200])
  await expect.poll(() => after(1800)).toEqual([503, 503, 503, 503, 503, 200, 200, 200])
  await expect.poll(() => after(0)).toEqual([200, 200, 200, 200, 200, 200, 200, 200])
})
