import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { fastify } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { sendTogether } from '#campaignd/http/hooks/send-together.js'
import { openCampaign } from '../../support/campaigns/campaign.js'
import { experimentDraft } from '../../support/campaigns/drafts.js'
import { anyConnections } from '../../support/http/any-connections.js'

const SWEEP = '/v1/campaigns/sweep'
const GZIP = { 'accept-encoding': 'gzip' }

/** Resources that are longer than 1 KiB, as bytes since a text would hide what gzip is. */
async function openLong() {
  const campaign = await openCampaign(30)
  const get = async (url: string, headers: Readonly<Record<string, string>> = {}, method: 'GET' | 'HEAD' = 'GET') => {
    const { statusCode, headers: answered, rawPayload } = await campaign.app.inject({ method, url, headers })
    return { status: statusCode, headers: answered as Record<string, string | undefined>, body: rawPayload }
  }
  const asset = async () => /assets\/[^"]+\.js/.exec((await get('/')).body.toString())?.[0] ?? ''
  return { ...campaign, get, urlOf: async (what: string) => (what === 'asset' ? `/${await asset()}` : what) }
}

const LONG = [
  SWEEP,
  `${SWEEP}?format=llenergymeasure`,
  `${SWEEP}/experiments`,
  `${SWEEP}/experiments?format=csv`,
  '/openapi.json',
  'asset',
  '/metrics',
  '/problems',
]
const WITH_TAG = [
  SWEEP,
  `${SWEEP}?format=llenergymeasure`,
  `${SWEEP}/experiments`,
  `${SWEEP}/experiments?format=csv`,
  'asset',
]

function varyOf(path: string): string {
  return path.startsWith(`${SWEEP}/experiments`) ? 'Accept, Accept-Encoding' : 'Accept-Encoding'
}

test.each(LONG)(
  'GET %s is gzip for a client that accepts it, with another tag, and the same otherwise',
  async (what) => {
    const { get, urlOf } = await openLong()
    const path = await urlOf(what)
    const plain = await get(path)
    const packed = await get(path, GZIP)
    expect([plain.status, packed.status]).toEqual([200, 200])
    expect([plain.headers['content-encoding'], packed.headers['content-encoding']]).toEqual([undefined, 'gzip'])
    expect([plain.headers['vary'], packed.headers['vary']]).toEqual([varyOf(path), varyOf(path)])
    expect(packed.headers['content-length']).toBe(String(packed.body.length))
    expect(packed.body.length).toBeLessThan(plain.body.length)
    if (path !== '/metrics') expect(gunzipSync(packed.body)).toEqual(plain.body)
    expect(packed.headers['etag']).toBe(plain.headers['etag']?.replace(/"$/, '-gzip"'))
  },
)

test.each(WITH_TAG)('conditions on %s take the tag with and without -gzip, however it is asked for', async (what) => {
  const { get, report, urlOf } = await openLong()
  const path = await urlOf(what)
  const tags = [(await get(path)).headers['etag'] ?? '', (await get(path, GZIP)).headers['etag'] ?? '']
  for (const tag of tags) {
    for (const headers of [{}, GZIP]) {
      for (const given of [tag, `W/${tag}`, `"other", ${tag}`]) {
        const known = await get(path, { ...headers, 'if-none-match': given })
        expect([known.status, known.headers['etag'], known.headers['vary']]).toEqual([304, tag, varyOf(path)])
      }
    }
  }
  if (what === 'asset') return
  await report('0001', { status: 'running' })
  for (const tag of tags) expect((await get(path, { ...GZIP, 'if-none-match': tag })).status).toBe(200)
})

test('If-Match takes the tag of gzip, and refuses it once it is old', async () => {
  const { get, call } = await openLong()
  const tag = (await get(SWEEP, GZIP)).headers['etag'] ?? ''
  expect(tag).toMatch(/-gzip"$/)
  const change = (campaign_name: string) =>
    call('PATCH', SWEEP, { body: { campaign_name }, headers: { 'if-match': tag } })
  expect((await change('one')).status).toBe(200)
  expect((await change('two')).status).toBe(412)
})

test('HEAD has the headers of GET', async () => {
  const { get } = await openLong()
  for (const headers of [{}, GZIP]) {
    const [got, head] = [await get(SWEEP, headers), await get(SWEEP, headers, 'HEAD')]
    const shown = ({ headers: all }: typeof got) =>
      ['etag', 'vary', 'content-encoding', 'content-length'].map((one) => all[one])
    expect([head.body.length, ...shown(head)]).toEqual([0, ...shown(got)])
  }
})

test.each([
  [undefined, false],
  ['', false],
  ['identity', false],
  ['br, deflate, zstd', false],
  ['gzip;q=0', false],
  ['gzip;q=0, *', false],
  ['*;q=0', false],
  ['identity, gzip;q=0.5', false],
  ['gzip', true],
  ['GZIP', true],
  ['x-gzip', true],
  ['*', true],
  ['gzip, deflate, br, zstd', true],
  ['deflate, gzip;q=1.0, *;q=0.5', true],
  ['br;q=1, gzip ; q=0.2', true],
])('Accept-Encoding %j: gzip is %j', async (accepted, isGzip) => {
  const { get } = await openLong()
  const reply = await get(SWEEP, accepted === undefined ? {} : { 'accept-encoding': accepted })
  expect(reply.headers['content-encoding'] === 'gzip').toBe(isGzip)
})

test('what has at most 1 KiB is sent as it is, and depends on nothing', async () => {
  const { get, call, report } = await openLong()
  for (const path of ['/healthz', `${SWEEP}/experiments/0001`, '/problems/invalid', '/v1/nothing']) {
    const reply = await get(path, GZIP)
    expect(reply.body.length).toBeLessThanOrEqual(1024)
    expect([reply.headers['content-encoding'], reply.headers['vary']]).toEqual([undefined, undefined])
  }
  expect((await report('0001', { status: 'running' }, { headers: GZIP })).headers).not.toHaveProperty('vary')
  expect((await call('DELETE', `${SWEEP}?force=true`, { headers: GZIP })).headers).not.toHaveProperty('vary')
})

test('a stream of events is never compressed', async () => {
  const { listen } = await openLong()
  const abort = new AbortController()
  const reply = await fetch(`${await listen()}${SWEEP}/events`, { headers: GZIP, signal: abort.signal })
  expect([reply.headers.get('content-encoding'), reply.headers.get('vary')]).toEqual([null, null])
  abort.abort()
})

test('where other origins may call, a response depends on both', async () => {
  const access = { corsOrigins: ['https://a.example'] }
  const { app } = await openCampaign(30, {}, { access })
  const reply = await app.inject({ url: SWEEP, headers: GZIP })
  expect(reply.headers.vary).toBe('Origin, Accept-Encoding')
})

test('a large manifest is compressed while other calls are answered', async () => {
  const experiments = Array.from({ length: 20_000 }, (_, index) => experimentDraft(`e${index}`, { cycle_index: index }))
  const { app, call } = await openCampaign(0, { experiments })
  const order: string[] = []
  const note = (what: string) => () => order.push(what)
  await Promise.all([
    app.inject({ url: SWEEP, headers: GZIP }).then(note('manifest')),
    call('GET', '/healthz').then(note('health')),
    call('GET', `${SWEEP}/progress`).then(note('progress')),
  ])
  expect(order).toEqual(['health', 'progress', 'manifest'])
})

test('a body that is a stream is compressed as it comes, and a broken one ends its connection', async () => {
  const app = fastify()
  onTestFinished(() => app.close())
  await app.register(sendTogether, { connections: anyConnections(), hooks: [], record: () => undefined })
  const pieces = Array.from({ length: 200 }, (_, index) => `piece ${index}\n`.repeat(50))
  app.get('/good', (_request, reply) => reply.type('text/csv').header('etag', '"v1"').send(Readable.from(pieces)))
  app.get('/broken', (_request, reply) => {
    async function* breaking() {
      yield* pieces
      await Promise.reject(new Error('the disk is gone'))
    }
    return reply.type('text/csv').send(Readable.from(breaking()))
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const good = await fetch(`${url}/good`, { headers: GZIP })
  expect([good.headers.get('content-encoding'), good.headers.get('etag')]).toEqual(['gzip', '"v1-gzip"'])
  expect(await good.text()).toBe(pieces.join(''))
  await expect(fetch(`${url}/broken`, { headers: GZIP }).then((broken) => broken.text())).rejects.toThrow()
})
