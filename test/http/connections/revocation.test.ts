import { expect, onTestFinished, test, vi } from 'vitest'
import { createToken, Tokens } from '#campaignd/auth/tokens.js'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { send } from '../../support/http/client.js'
import { Scrape } from '../../support/http/metrics.js'
import { RawConnection } from '../../support/http/raw-connection.js'
import { openApp } from '../../support/service/app.js'

const [admin, reader, worker] = [createToken('a', 'admin'), createToken('r', 'read'), createToken('w', 'work')]
const ALL = Tokens.parse([admin, reader, worker].map(({ line }) => line).join('\n'))
const as = ({ token }: { readonly token: string }) => ({ authorization: `Bearer ${token}` })

const SWEEP = '/v1/campaigns/sweep'

async function openGuarded() {
  let tokens = ALL
  const app = await openApp({ access: { tokens: () => tokens } })
  const body = campaignDraft(1, { settings: { max_retries: 1 } })
  expect((await app.call('POST', '/v1/campaigns', { headers: as(admin), body })).status).toBe(201)
  await app.call('POST', `${SWEEP}/claims`, { headers: as(admin), body: { worker: 'w1' } })
  const etag = (await app.call('GET', `${SWEEP}/progress`, { headers: as(admin) })).headers['etag'] ?? ''
  const url = await app.listen()
  const put = (...lines: string[]) => {
    tokens = Tokens.parse(lines.join('\n'))
  }
  const stream = async (path: string, { token }: { readonly token: string }) => {
    const connection = await RawConnection.open(url)
    onTestFinished(() => {
      connection.reset()
    })
    connection.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    return connection
  }
  const claim = (by: { readonly token: string }) =>
    send('POST', `${url}${SWEEP}/claims`, { worker: 'w2', wait_seconds: 60 }, as(by))
  const poll = (by: { readonly token: string }) =>
    send('GET', `${url}${SWEEP}/progress?wait=60`, undefined, { ...as(by), 'if-none-match': etag })
  const held = async () => {
    const { text } = await app.call('GET', '/metrics', { headers: as(admin) })
    return new Scrape(text).value('campaignd_long_lived_calls_open')
  }
  return { ...app, url, put, stream, claim, poll, held }
}

test('a token that is taken out ends its streams, and its calls that wait get 401; those of others go on', async () => {
  const { service, call, put, stream, claim, poll, held } = await openGuarded()
  const streams = [await stream('/v1/events', reader), await stream(`${SWEEP}/events`, reader)]
  const other = await stream(`${SWEEP}/events`, admin)
  const waiting = [claim(worker), poll(reader)]
  const otherPoll = poll(admin)
  await expect.poll(held).toBe(6)
  const began = performance.now()
  put(admin.line)
  for (const { status, headers } of await Promise.all(waiting)) {
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toContain('error="invalid_token"')
  }
  await Promise.all(streams.map(({ closed }) => closed))
  expect(performance.now() - began).toBeLessThan(30_000)
  expect(service.events.readers).toBe(1)
  expect(other.isClosed).toBe(false)
  // What was held for the worker is not handed out to it.
  const body = { status: 'pending' }
  expect((await call('PATCH', `${SWEEP}/experiments/0001`, { headers: as(admin), body })).status).toBe(200)
  expect((await otherPoll).status).toBe(200)
  const { text } = await call('GET', `${SWEEP}/experiments/0001`, { headers: as(admin) })
  expect(JSON.parse(text)).toMatchObject({ status: 'pending', worker: null })
})

test('a stream that has ended, and is not read to its end, is not ended again when its token is taken out', async () => {
  const { call, put, stream, held } = await openGuarded()
  const experiments = Array.from({ length: 1500 }, (_, index) => experimentDraft(`e${index}`))
  const draft = { ...campaignDraft(0), campaign_id: 'large', experiments }
  expect((await call('POST', '/v1/campaigns', { headers: as(admin), body: draft })).status).toBe(201)
  const connection = await stream('/v1/campaigns/large/events', reader)
  await expect.poll(held).toBe(1)
  connection.stopReading()
  for (const first of [0, 500, 1000]) {
    const failed = experiments.slice(first, first + 500)
    const updates = failed.map(({ exp_id }) => ({ exp_id, status: 'failed', error: 'e'.repeat(8000) }))
    const body = { updates }
    expect((await call('PATCH', '/v1/campaigns/large/experiments', { headers: as(admin), body })).status).toBe(200)
  }
  expect((await call('DELETE', '/v1/campaigns/large', { headers: as(admin) })).status).toBe(204)
  put(admin.line)
  await expect.poll(held).toBe(0)
  expect((await call('GET', '/healthz')).status).toBe(200)
})

test('a claim that is made is told, also when its token is taken out before the reply', async () => {
  const { service, call, put, claim, held } = await openGuarded()
  const body = { status: 'pending' }
  expect((await call('PATCH', `${SWEEP}/experiments/0001`, { headers: as(admin), body })).status).toBe(200)
  const { store } = service
  const update = store.update.bind(store)
  const slow = vi.spyOn(store, 'update').mockImplementation(async (id, decide) => {
    const result = await update(id, decide)
    put(admin.line)
    await expect.poll(held).toBe(0)
    return result
  })
  onTestFinished(() => slow.mockRestore())
  const { status, text } = await claim(worker)
  expect(status).toBe(200)
  const { claims } = JSON.parse(text) as { readonly claims: readonly unknown[] }
  expect(claims).toEqual([expect.objectContaining({ attempt: 2 })])
})

test('a role that is lowered ends what needs the higher one, and nothing else', async () => {
  const { service, put, stream, claim, held } = await openGuarded()
  await stream('/v1/events', worker)
  const waiting = claim(worker)
  await expect.poll(held).toBe(2)
  put(admin.line, worker.line.replace(' work ', ' read '))
  expect((await waiting).status).toBe(401)
  expect(service.events.readers).toBe(1)
})

test('a write whose token is revoked while its body is sent is refused', async () => {
  const { put, stream, url } = await openGuarded()
  const body = JSON.stringify({ campaign_name: 'by a revoked token' })
  const connection = await RawConnection.open(url)
  connection.write(
    `PATCH ${SWEEP} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${admin.token}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body.slice(0, 5)}`,
  )
  // Answered after it has been looked at.
  const after = await stream('/v1/campaigns', reader)
  await expect.poll(() => after.answers().length).toBe(1)
  put(reader.line)
  connection.write(body.slice(5))
  await connection.closed
  expect(connection.answers().map(({ status }) => status)).toEqual([401])
})
