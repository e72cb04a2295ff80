import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { campaignDraft } from '../support/campaigns/drafts.js'
import { type Reply, send, writersOn } from '../support/http/client.js'
import { Scrape } from '../support/http/metrics.js'
import { RawConnection } from '../support/http/raw-connection.js'
import { messages, runMain, runService, startCampaign, startService } from '../support/service/service.js'
import { spawnService } from '../support/service/service-process.js'
import { leftovers, storedManifest } from '../support/store/files.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { TIME_LIMIT } from '../support/time-limit.js'
import { until } from '../support/until.js'

test.each<Readonly<Record<string, string>>>([
  { CAMPAIGND_HOST: '0.0.0.0' },
  { CAMPAIGND_TOKENS_FILE: '/nonexistent/tokens' },
])('settings that are bad, %j among them, are all named at once on stderr, and the exit code is 2', (one) => {
  const bad = {
    ...one,
    CAMPAIGND_PORT: '99999',
    CAMPAIGND_DURABILITY: 'hope',
    CAMPAIGND_LOG_LEVEL: 'loud',
    CAMPAIGND_DATA_DIR: '',
    CAMPAIGND_ALLOWED_HOSTS: 'campaigns.example:8080',
    CAMPAIGND_CORS_ORIGINS: '*',
    CAMPAIGND_HEADERS_TIMEOUT: '0',
    CAMPAIGND_REQUEST_TIMEOUT: 'long',
    CAMPAIGND_KEEP_ALIVE_TIMEOUT: '-1',
    CAMPAIGND_MAX_CONNECTIONS: '0',
    CAMPAIGND_MAX_UNSENT_BYTES: '1',
    CAMPAIGND_MAX_WAITING: '1.5',
    CAMPAIGND_RATE_LIMIT: '1e9',
    CAMPAIGND_MAX_EXPERIMENTS: '0',
    CAMPAIGND_MAX_LABELS: '',
    CAMPAIGND_MAX_LAG: 'none',
  }
  const { status, stdout, stderr } = runMain(['--max-campaign-bytes', 'much'], bad)
  expect([status, stdout]).toEqual([2, ''])
  for (const name of [...Object.keys(bad), 'CAMPAIGND_MAX_CAMPAIGN_BYTES']) expect(stderr).toContain(name)
})

test('--help lists the settings, each with its variable', () => {
  const { status, stdout } = runMain(['--help'])
  expect(status).toBe(0)
  const names =
    'HOST PORT ALLOW_ANONYMOUS TOKENS_FILE ALLOWED_HOSTS CORS_ORIGINS DATA_DIR DURABILITY LOG_LEVEL ' +
    'HEADERS_TIMEOUT REQUEST_TIMEOUT KEEP_ALIVE_TIMEOUT MAX_CONNECTIONS MAX_UNSENT_BYTES MAX_WAITING RATE_LIMIT MAX_EXPERIMENTS ' +
    'MAX_CAMPAIGN_BYTES MAX_LABELS MAX_LAG'
  for (const name of names.split(' ')) expect(stdout).toContain(`CAMPAIGND_${name}`)
})

test('a start logs one line: where it listens, which store, how durable', async () => {
  const service = await startService()
  const { url, dataDir } = service
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d{4,5}$/)
  await sleep(100)
  expect(messages(service)).toEqual([`campaignd listens on ${url}, store ${dataDir}, durability fsync`])
  expect((await send('GET', `${url}/healthz`)).status).toBe(200)
  expect((await send('GET', `${url}/readyz`)).status).toBe(200)
})

test('a start in durability os says so', async () => {
  const service = await startService({ environment: { CAMPAIGND_DURABILITY: 'os' } })
  expect(messages(service)).toEqual([
    expect.stringContaining('durability is os'),
    expect.stringContaining('durability os'),
  ])
})

test('a start at port 0 takes any free port, so that two can run beside each other', async () => {
  const [one, other] = [await startService(), await startService()]
  expect(one.url).not.toBe(other.url)
})

test('a start on a taken port fails, and leaves the directory free for the next', async () => {
  const { url } = await startService()
  const dataDir = temporaryDirectory()
  const { code, output } = await runService({ dataDir, environment: { CAMPAIGND_PORT: new URL(url).port } })
  expect(code).toBe(1)
  expect(output).toContain('EADDRINUSE')
  expect(readdirSync(dataDir)).not.toContain('lock')
})

test('the metrics cover the process, its lock, its commits and its leases', async () => {
  const { url, report } = await startCampaign(1)
  await report('0001', { status: 'running', worker: 'w', lease_seconds: 1 })
  const scrape = async () => new Scrape((await send('GET', `${url}/metrics`)).text)
  const found = await scrape()
  expect(found.value('campaignd_commits_total', { outcome: 'durable' })).toBe(2)
  expect(found.value('campaignd_leases_live')).toBe(1)
  expect(found.value('campaignd_lock_refresh_age_seconds')).toBeLessThan(10)
  expect(found.names).toEqual(
    expect.arrayContaining([
      'campaignd_process_cpu_seconds_total',
      'campaignd_process_resident_memory_bytes',
      'campaignd_process_start_time_seconds',
      'campaignd_nodejs_eventloop_lag_p99_seconds',
      'campaignd_nodejs_gc_duration_seconds',
    ]),
  )
  for (const { name, type, help } of found.metrics) {
    expect(name).toMatch(/^campaignd_/)
    if (type === 'counter') expect(name).toMatch(/_total$/)
    expect(help).not.toBe('')
  }
  await expect.poll(async () => (await scrape()).value('campaignd_leases_expired_total')).toBe(1)
})

/** True for what a call may end in while the service stops. */
function isDrained(outcome: Reply | Error): boolean {
  // Of the network: the connection broke, or was refused.
  if (outcome instanceof Error) return 'code' in outcome
  return outcome.status === 503 && outcome.headers.has('retry-after')
}

test('a stop by SIGINT under 64 writers loses nothing, as the one by SIGTERM, which test/faults covers', async () => {
  const service = await startCampaign(64)
  const writers = writersOn(['sweep'], 64)
  const runs = writers.map((writer) => writer.run(service.url, () => false))
  await until('a report of each', () => writers.every(({ acknowledged }) => acknowledged > 0))
  const began = performance.now()
  expect(await service.end('SIGINT')).toBe(0)
  expect(performance.now() - began).toBeLessThan(TIME_LIMIT)
  const others = (await Promise.all(runs)).flat()
  expect(others.filter((outcome) => !isDrained(outcome))).toEqual([])
  const manifest = storedManifest(service.dataDir, 'sweep')
  for (const [index, { acknowledged, sent, revision }] of writers.entries()) {
    const experiment = manifest.experiments[index]
    expect(acknowledged).toBeGreaterThan(0)
    expect(Number(experiment?.result_path)).toBeGreaterThanOrEqual(acknowledged)
    expect(Number(experiment?.result_path)).toBeLessThanOrEqual(sent)
    expect(manifest.revision).toBeGreaterThanOrEqual(revision)
  }
  expect(leftovers(service.dataDir)).toEqual([])
  expect(readdirSync(service.dataDir)).toEqual(['campaigns'])
})

test('a stop answers the long polls that are held, at once', async () => {
  const service = await startCampaign(2)
  const url = `${service.campaign}/progress?wait=60`
  const tag = (await send('GET', url.replace('?wait=60', ''))).headers.get('etag') ?? ''
  const polls = [
    ...Array.from({ length: 20 }, () => send('GET', url, undefined, { 'if-none-match': tag })),
    send('GET', `${url}&until=end`),
  ]
  await sleep(300)
  const began = performance.now()
  const ended = service.end('SIGTERM')
  const statuses = (await Promise.all(polls)).map(({ status }) => status)
  expect(performance.now() - began).toBeLessThan(TIME_LIMIT)
  expect(statuses).toEqual([...Array.from({ length: 20 }, () => 304), 200])
  expect(await ended).toBe(0)
})

test('a stop does not wait for clients that read nothing, also when they asked for a tunnel', async () => {
  const service = await startCampaign(10_000)
  const get = `GET ${new URL(service.campaign).pathname} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(10)
  for (const behind of ['', 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n']) {
    const connection = await RawConnection.open(service.url)
    onTestFinished(() => {
      connection.reset()
    })
    connection.stopReading()
    connection.write(get + behind)
  }
  const unsent = async () =>
    new Scrape((await send('GET', `${service.url}/metrics`)).text).value('campaignd_unsent_bytes')
  await expect.poll(unsent).toBeGreaterThan(0)
  expect(await service.end('SIGTERM')).toBe(0)
})

test('a second process on the directory ends at once when it is stopped while it waits, or else exits naming the first', async () => {
  const first = await startService()
  const waiting = runService({ dataDir: first.dataDir })
  const stopped = spawnService({ dataDir: first.dataDir })
  const ended = once(stopped, 'close')
  onTestFinished(async () => {
    stopped.kill('SIGKILL')
    await ended
  })
  await once(stopped.stdout, 'data')
  const began = performance.now()
  stopped.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  // Sooner than it would have given up by itself.
  expect(performance.now() - began).toBeLessThan(10_000)

  const { code, output } = await waiting
  expect(code).toBe(1)
  expect(output).toContain(`in use by process ${first.pid} on `)
  expect((await send('POST', `${first.url}/v1/campaigns`, campaignDraft(1))).status).toBe(201)
  expect(await first.end('SIGTERM')).toBe(0)
})

/** A service whose log fills the pipe to a reader that has stopped reading. */
async function startUnread() {
  const child = spawnService({ dataDir: temporaryDirectory() })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [first] = (await once(child.stdout, 'data')) as [Buffer]
  const url = /http:\/\/[\d.]+:\d+/.exec(first.toString())?.[0] ?? ''
  child.stdout.pause()
  const replies = Array.from({ length: 200 }, () => send('POST', `${url}/nothing?${'x'.repeat(7000)}`, {}))
  for (const { status } of await Promise.all(replies)) expect(status).toBe(404)
  return { child, url }
}

test('a reader of the log that stops reading keeps the service neither from replying nor from ending', async () => {
  const { child } = await startUnread()
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  expect(await Promise.race([ended, sleep(TIME_LIMIT, 'still there', { ref: false })])).not.toBe('still there')
})

test('a second SIGTERM ends the service without waiting for a client or a reader of the log', async () => {
  const { child, url } = await startUnread()
  const client = connect(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => void client.destroy())
  client.on('error', () => undefined)
  client.write(
    'POST /v1/campaigns HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
  )
  await sleep(500)
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  expect(await Promise.race([ended, sleep(700, 'waits for its client')])).toBe('waits for its client')
  child.kill('SIGTERM')
  expect(await Promise.race([ended, sleep(TIME_LIMIT, 'still there', { ref: false })])).toEqual([1, null])
})
