import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { send } from '../support/http/client.js'
import { RawConnection } from '../support/http/raw-connection.js'
import { messages, startCampaign, startService } from '../support/service/service.js'
import { TIME_LIMIT } from '../support/time-limit.js'
import { until } from '../support/until.js'

test('a client that drips its headers is cut off within 20 s, and sooner when that is set', async () => {
  const [byDefault, shorter] = [
    await startService(),
    await startService({ environment: { CAMPAIGND_HEADERS_TIMEOUT: '1' } }),
  ]
  const [slow, quick] = await Promise.all([byDefault, shorter].map(({ url }) => dripUntilGone(url)))
  expect(quick).toBeLessThan(10_000)
  expect(slow).toBeGreaterThan(10_000)
  expect(slow).toBeLessThan(20_000)
})

test('a body that does not end is answered with 408', async () => {
  const environment = { CAMPAIGND_HEADERS_TIMEOUT: '1', CAMPAIGND_REQUEST_TIMEOUT: '2' }
  const { url } = await startService({ environment })
  const connection = await RawConnection.open(url)
  const began = performance.now()
  connection.write(
    'POST /v1/campaigns HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
  )
  await connection.closed
  expect(performance.now() - began).toBeLessThan(TIME_LIMIT)
  expect(connection.answers().map(({ status }) => status)).toEqual([408])
})

test('a client that sends a thousand requests before it reads a reply is refused after 17', async () => {
  const { url } = await startService()
  const connection = await RawConnection.open(url)
  connection.write('GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1000))
  await Promise.race([connection.closed, sleep(TIME_LIMIT, undefined, { ref: false })])
  const statuses = connection.answers().map(({ status }) => status)
  connection.reset()
  expect(statuses).toEqual([...Array.from({ length: 17 }, () => 200), 429])
})

test('an idle connection is closed after CAMPAIGND_KEEP_ALIVE_TIMEOUT', async () => {
  const { url } = await startService({ environment: { CAMPAIGND_KEEP_ALIVE_TIMEOUT: '1' } })
  const connection = await RawConnection.open(url)
  connection.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await connection.closed
  expect(connection.answers().map(({ status }) => status)).toEqual([200])
})

test('more connections than are allowed are closed at once, and the others go on', async () => {
  const { url } = await startService({ environment: { CAMPAIGND_MAX_CONNECTIONS: '3' } })
  const connections = [await RawConnection.open(url), await RawConnection.open(url), await RawConnection.open(url)]
  const refused = await RawConnection.open(url)
  await refused.closed
  expect(refused.answers()).toEqual([])
  for (const connection of connections) {
    connection.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await until('a reply', () => connection.answers().length === 1)
    expect(connection.isClosed).toBe(false)
  }
  connections[0]?.reset()
  await expect.poll(async () => (await fetch(`${url}/healthz`).catch(() => null))?.status).toBe(200)
  for (const connection of connections) connection.reset()
})

test('with few descriptors there are fewer connections, as the log says, and while all are in use a commit has its files', async () => {
  const wrapper = ['bash', '-c', 'ulimit -n 256 && exec "$@"', 'bash']
  const service = await startCampaign(3, { wrapper })
  const lowered = messages(service).find((message) => message.includes('CAMPAIGND_MAX_CONNECTIONS')) ?? ''
  const most = Number(/is lowered from 8192 to (\d+): the process may have 256 files/.exec(lowered)?.[1])
  expect(most).toBeGreaterThan(50)
  const kept = await RawConnection.open(service.url)
  const others = await Promise.all(Array.from({ length: 256 }, () => RawConnection.open(service.url)))
  await until('some are refused', () => others.filter(({ isClosed }) => isClosed).length >= others.length - most)
  const body = '{"status":"running"}'
  kept.write(
    'PATCH /v1/campaigns/sweep/experiments/0001 HTTP/1.1\r\nHost: localhost\r\n' +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  await until('a reply', () => kept.answers().length === 1)
  expect(kept.answers().map(({ status }) => status)).toEqual([200])
  for (const connection of [kept, ...others]) connection.reset()
})

test('a Host that is empty is refused', async () => {
  const { url } = await startService()
  const connection = await RawConnection.open(url)
  connection.write('GET /v1/campaigns HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n')
  await connection.closed
  expect(connection.answers().map(({ status }) => status)).toEqual([421])
})

test('a service that was stopped for a while refuses the reads that waited, accepts the writes, and recovers', async () => {
  const service = await startCampaign(3, { environment: { CAMPAIGND_MAX_LAG: '500' } })
  const { url, pid, campaign: sweep } = service
  await send('POST', `${sweep}/claims`, { worker: 'w1' })
  // Opens the connections, so that the calls wait for nothing but the service.
  await Promise.all(Array.from({ length: 5 }, () => send('GET', `${url}/healthz`)))
  process.kill(pid, 'SIGSTOP')
  const calls = [
    send('GET', sweep),
    send('GET', `${sweep}/progress`),
    service.report('0002', { status: 'running' }),
    send('POST', `${sweep}/experiments/0001/heartbeat`, { attempt: 1, worker: 'w1' }),
    send('GET', `${url}/healthz`),
  ]
  await sleep(900)
  process.kill(pid, 'SIGCONT')
  const replies = await Promise.all(calls)
  expect(replies.map(({ status }) => status)).toEqual([503, 503, 200, 200, 200])
  expect(replies[0]?.headers.get('retry-after')).toBe('1')
  await expect.poll(async () => (await send('GET', sweep)).status).toBe(200)
})

async function dripUntilGone(url: string): Promise<number> {
  const connection = await RawConnection.open(url)
  const began = performance.now()
  connection.write('GET /v1/campaigns HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
  const drip = setInterval(() => connection.write('x'), 250)
  await connection.closed
  clearInterval(drip)
  expect(connection.answers().map(({ status }) => status)).toEqual([408])
  return performance.now() - began
}
