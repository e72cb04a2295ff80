import { expect, onTestFinished, test } from 'vitest'
import { openCampaign } from '../../support/campaigns/campaign.js'
import { experimentDraft } from '../../support/campaigns/drafts.js'
import { Scrape } from '../../support/http/metrics.js'
import { expectProblem } from '../../support/http/problems.js'
import { RawConnection } from '../../support/http/raw-connection.js'

const KIB = 1024
const MIB = 1024 * KIB
/** Many enough for all that a connection takes by itself. */
const PAGES = 10

/** A campaign with a page that is larger than what may wait. */
async function openLarge() {
  const draft = { config_path: 'p'.repeat(2000) }
  const experiments = Array.from({ length: 1000 }, (_, index) => ({ ...experimentDraft(`e${index}`), ...draft }))
  const campaign = await openCampaign(1, { experiments }, { limits: { maxUnsentBytes: 256 * KIB } })
  const { call, listen } = campaign
  const path = `${campaign.path}/experiments?limit=1000`
  const url = await listen()
  const size = Number((await call('HEAD', path)).headers['content-length'])
  expect(size).toBeGreaterThan(2 * MIB)
  const open = async () => {
    const connection = await RawConnection.open(url)
    onTestFinished(() => {
      connection.reset()
    })
    return connection
  }
  const value = async (name: string) => new Scrape((await call('GET', '/metrics')).text).value(name) ?? 0
  return { ...campaign, url, large: path, size, open, value }
}

const GZIP = { 'accept-encoding': 'gzip' }
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`

test('large responses that are pipelined are made one at a time, and all of them arrive', async () => {
  const { large, open, value, size } = await openLarge()
  const connection = await open()
  connection.stopReading()
  connection.write(get(large).repeat(PAGES) + get('/healthz'))
  await expect.poll(() => value('campaignd_unsent_bytes')).toBeGreaterThan(256 * KIB)
  expect(await value('campaignd_unsent_bytes')).toBeLessThan(2 * size)
  connection.readOn()
  await expect.poll(() => connection.answers().length, { interval: 500 }).toBe(PAGES + 1)
  expect(connection.answers().map(({ status }) => status)).toEqual(Array.from({ length: PAGES + 1 }, () => 200))
  expect(await value('campaignd_unsent_bytes')).toBe(0)
})

test('while others read nothing a large response is refused and small ones are not, until those are cut off', async () => {
  const { call, url, path, large, open, value, report } = await openLarge()
  const deaf = await open()
  deaf.stopReading()
  deaf.write(get(large).repeat(PAGES))
  await expect.poll(() => value('campaignd_unsent_bytes')).toBeGreaterThan(256 * KIB)
  const refused = await call('GET', large)
  expectProblem(refused, 503, 'too-much-unsent')
  expect(refused.headers).toMatchObject({ 'retry-after': '5' })
  expect(refused.headers).not.toHaveProperty('etag')
  const csv = await call('GET', `${path}/experiments?format=csv`)
  expectProblem(csv, 503, 'too-much-unsent')
  expect(csv.headers).not.toHaveProperty('content-disposition')
  const manifest = path.replace(/\/experiments.*/, '')
  for (let times = 0; times < 40; times += 1) {
    expectProblem(await call('GET', manifest, { headers: GZIP }), 503, 'too-much-unsent')
  }
  expect((await report('e1', { status: 'completed' })).status).toBe(200)
  const claims = await call('POST', `${manifest}/claims`, { body: { worker: 'w', limit: 50 } })
  expect([claims.status, claims.text.length > 100 * KIB]).toEqual([200, true])
  expect((await call('GET', `${path}/progress`)).status).toBe(200)
  await expect.poll(async () => (await call('GET', large)).status).toBe(200)
  const compressed = await fetch(`${url}${manifest}`, { headers: GZIP })
  expect(compressed.headers.get('content-encoding')).toBe('gzip')
  await compressed.arrayBuffer()
  deaf.readOn()
  await deaf.closed
  expect(await value('campaignd_connections_cut_total')).toBe(1)
  expect(await value('campaignd_unsent_bytes')).toBe(0)
})
