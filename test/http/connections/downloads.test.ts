import { expect, onTestFinished, test } from 'vitest'
import { createToken, Tokens } from '#campaignd/auth/tokens.js'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { Scrape } from '../../support/http/metrics.js'
import { RawConnection } from '../../support/http/raw-connection.js'
import { openApp } from '../../support/service/app.js'

const [admin, other, reader] = [createToken('a', 'admin'), createToken('o', 'admin'), createToken('r', 'read')]
/** Its manifest has some 14 MB: more than the buffers of a connection take. */
const EXPERIMENTS = 1500
const ERROR = 'e'.repeat(8000)
/** As much, in more pieces. */
const SMALL_ONES = 30_000
const PATH = '/v1/campaigns/large'

async function openLarge(count = EXPERIMENTS) {
  let tokens = Tokens.parse([admin, other, reader].map(({ line }) => line).join('\n'))
  const app = await openApp({ access: { tokens: () => tokens } })
  const config_path = 'p'.repeat(count === EXPERIMENTS ? 1 : 500)
  const headers = { authorization: `Bearer ${admin.token}` }
  const experiments = Array.from({ length: count }, (_, index) => experimentDraft(`e${index}`, { config_path }))
  const body = { ...campaignDraft(0), campaign_id: 'large', experiments }
  expect((await app.call('POST', '/v1/campaigns', { headers, body })).status).toBe(201)
  const url = await app.listen()
  /** Each experiment changes. */
  const report = async (error: string) => {
    for (let first = 0; first < EXPERIMENTS; first += 500) {
      const updates = experiments.slice(first, first + 500).flatMap(({ exp_id }) => [
        { exp_id, status: 'running' },
        { exp_id, status: 'failed', error },
      ])
      const reply = await app.call('PATCH', `${PATH}/experiments`, { headers, body: { updates } })
      expect(reply.status).toBe(200)
    }
  }
  const read = async (path: string, by = reader, method = 'GET', sent = '') => {
    const connection = await RawConnection.open(url)
    onTestFinished(() => {
      connection.reset()
    })
    const ofBody = sent === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${sent.length}\r\n`
    const start = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${by.token}\r\n`
    connection.write(`${start}${ofBody}\r\n${sent}`)
    connection.stopReading()
    return connection
  }
  const metric = async (name: string) => {
    const { text } = await app.call('GET', '/metrics', { headers })
    return new Scrape(text).value(name) ?? NaN
  }
  if (count === EXPERIMENTS) await report(ERROR)
  return {
    ...{ report, read },
    /** Requests something is held for. */
    held: () => metric('campaignd_long_lived_calls_open'),
    unsent: () => metric('campaignd_unsent_bytes'),
    heldBytes: () => metric('campaignd_held_bytes'),
    revoke: () => {
      tokens = Tokens.parse(admin.line)
    },
  }
}

test.each(['', '?format=llenergymeasure', '/experiments?format=csv'])(
  'a slow download%s counts what it keeps of the past, until its client is gone',
  async (query) => {
    const { report, read, held, heldBytes } = await openLarge()
    const [first, second] = [await read(`${PATH}${query}`), await read(`${PATH}${query}`)]
    await expect.poll(held).toBe(2)
    expect(await heldBytes()).toBe(0)
    await report(`${ERROR}!`)
    const bytes = await heldBytes()
    expect(bytes).toBeGreaterThan(EXPERIMENTS * ERROR.length)
    expect(bytes).toBeLessThan(2 * EXPERIMENTS * ERROR.length)
    first.reset()
    await expect.poll(held).toBe(1)
    expect(await heldBytes()).toBe(bytes)
    second.reset()
    await expect.poll(held).toBe(0)
    expect(await heldBytes()).toBe(0)
  },
)

test('a download that is read to its end holds nothing, on a connection that stays open', async () => {
  const { read, held } = await openLarge()
  const connection = await read(PATH)
  await expect.poll(held).toBe(1)
  connection.readOn()
  await expect.poll(held).toBe(0)
  expect(connection.isClosed).toBe(false)
})

test('a token that is taken out ends its downloads; what a write changed is told, and others read on', async () => {
  const { read, held, revoke } = await openLarge()
  const ended = await read(PATH)
  const [written, others] = [await read(PATH, other, 'PATCH', '{"campaign_name":"another"}'), await read(PATH, admin)]
  await expect.poll(held).toBe(3)
  revoke()
  await expect.poll(held).toBe(1)
  for (const connection of [ended, written, others]) connection.readOn()
  await ended.closed
  await expect.poll(() => written.answers().map(({ status }) => status)).toEqual([200])
  await expect.poll(held).toBe(0)
  expect([written.isClosed, others.isClosed]).toEqual([false, false])
})

test('what a slow download has begun with counts among the bytes that wait for clients, until its end', async () => {
  const { read, held, unsent } = await openLarge(SMALL_ONES)
  const before = await unsent()
  const connections = [await read(`${PATH}?format=llenergymeasure`), await read(`${PATH}?format=llenergymeasure`)]
  await expect.poll(held).toBe(2)
  await expect.poll(unsent).toBeGreaterThan(before + 2 * 256 * 1024)
  connections[0]?.readOn()
  await expect.poll(held).toBe(1)
  await expect.poll(unsent).toBeLessThan(before + 2 * 256 * 1024)
  connections[1]?.reset()
  await expect.poll(unsent).toBe(before)
})
