import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Problem } from '#campaignd/http/problems/problem.js'
import { openCampaign, type TestCampaign } from '../../support/campaigns/campaign.js'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { send } from '../../support/http/client.js'
import { RawConnection } from '../../support/http/raw-connection.js'
import { bytesOf } from '../../support/store/files.js'

const MIB = 1024 * 1024

interface Listening extends TestCampaign {
  readonly url: string
}

async function listen(): Promise<Listening> {
  const campaign = await openCampaign(2)
  return { ...campaign, url: await campaign.listen() }
}

/** Sends the bytes, then nothing more, and waits until the service closes. */
async function exchange({ url }: Listening, bytes: string, { halfClose = false } = {}): Promise<RawConnection> {
  const connection = await RawConnection.open(url)
  connection.write(bytes)
  if (halfClose) connection.endWriting()
  await connection.closed
  return connection
}

/** Begins to read the events of the campaign; the bytes follow on the request. */
async function openStream({ url, path }: Listening, headers: string, bytes = ''): Promise<RawConnection> {
  const connection = await RawConnection.open(url)
  connection.write(`GET ${path}/events HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n${bytes}`)
  await expect.poll(() => connection.text).toContain('event: ')
  return connection
}

/** Of all responses, in their order. */
function statusesIn({ text }: RawConnection): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}

function expectRawProblem(connection: RawConnection, status: number, code: string): void {
  const [reply] = connection.answers()
  expect([reply?.status, reply?.headers.get('content-type')?.split(';')[0]], connection.text).toEqual([
    status,
    'application/problem+json',
  ])
  const problem = JSON.parse(reply?.body ?? '') as Problem
  expect(problem).toMatchObject({ status, code, type: `/problems/${code}` })
}

async function expectReportMade({ url, path }: Listening): Promise<void> {
  expect((await send('PATCH', `${url}${path}/experiments/0001`, { status: 'running' })).status).toBe(200)
}

async function expectNoConnections({ app }: Listening): Promise<void> {
  await expect
    .poll(() => new Promise((resolve) => app.server.getConnections((_error, count) => resolve(count))))
    .toBe(0)
}

/** Expects that nothing on disk was touched, and that the next good call over a socket is served. */
async function unharmed(listening: Listening, attack: () => Promise<void>): Promise<void> {
  const before = bytesOf(listening.dataDir)
  await attack()
  expect(bytesOf(listening.dataDir)).toEqual(before)
  await expectReportMade(listening)
}

function request(line: string, headers: readonly string[] = [], body = ''): string {
  return [`${line} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers, '', body].join('\r\n')
}

const JSON_TYPE = 'Content-Type: application/json'

test.each([
  ['a word', 'NONSENSE\r\n\r\n'],
  ['bytes of another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ['a method that is no word', request('B(EW /v1/campaigns')],
  ['bytes in a path that are not encoded', request('GET /v1/campaigns/\u00e9')],
  ['bytes in a query that are not encoded', request('GET /v1/campaigns?name=\u00e9')],
  ['a version that there is not', 'GET /v1/campaigns HTTP/9.9\r\nHost: localhost\r\n\r\n'],
  ['a header without a colon', request('GET /v1/campaigns', ['nonsense'])],
  ['a header with a control character', request('GET /v1/campaigns', ['X-A: \x01'])],
  ['a space in the URL', request('GET /v1/campa igns')],
  ['a length that is no number', request('POST /v1/campaigns', [JSON_TYPE, 'Content-Length: ten'], '{}')],
  ['a negative length', request('POST /v1/campaigns', [JSON_TYPE, 'Content-Length: -1'], '{}')],
  ['two lengths', request('POST /v1/campaigns', [JSON_TYPE, 'Content-Length: 2', 'Content-Length: 3'], '{}')],
  [
    'a length and chunks, as smugglers send',
    request('POST /v1/campaigns', [JSON_TYPE, 'Content-Length: 4', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  ],
  ['a chunk without a size', request('POST /v1/campaigns', [JSON_TYPE, 'Transfer-Encoding: chunked'], 'x\r\n{}\r\n')],
  ['no Host', 'GET /v1/campaigns HTTP/1.1\r\nConnection: close\r\n\r\n'],
])('malformed HTTP, %s, is answered with a problem and the service goes on', async (_what, bytes) => {
  const listening = await listen()
  await unharmed(listening, async () => {
    expectRawProblem(await exchange(listening, bytes), 400, 'malformed-request')
  })
})

test('headers that are too large get a 431', async () => {
  const listening = await listen()
  await unharmed(listening, async () => {
    const one = request('GET /v1/campaigns', [`X-Large: ${'x'.repeat(20_000)}`])
    expectRawProblem(await exchange(listening, one), 431, 'headers-too-large')
    const many = request(
      'GET /v1/campaigns',
      Array.from({ length: 1000 }, (_, index) => `X-${index}: ${'x'.repeat(20)}`),
    )
    expectRawProblem(await exchange(listening, many), 431, 'headers-too-large')
    const url = request(`GET /v1/campaigns?name=${'x'.repeat(20_000)}`)
    expectRawProblem(await exchange(listening, url), 431, 'headers-too-large')
  })
})

test('an unknown Expect header gets a problem', async () => {
  const connection = await exchange(await listen(), request('GET /v1/campaigns', ['Expect: miracles']))
  const [reply] = connection.answers()
  expect(reply?.status).toBeGreaterThanOrEqual(400)
  expect(reply?.headers.get('content-type')).toMatch(/^application\/problem\+json\b/)
})

test('a body that ends before its length is refused, with a response where that is possible', async () => {
  const listening = await listen()
  const cut = (path: string, method: string) =>
    request(`${method} ${path}`, [JSON_TYPE, 'Content-Length: 500'], '{"status":"completed"}')
  await unharmed(listening, async () => {
    const { path } = listening
    for (const bytes of [cut(`${path}/experiments/0002`, 'PATCH'), cut(`${path}/resume`, 'POST')]) {
      expectRawProblem(await exchange(listening, bytes, { halfClose: true }), 400, 'malformed-request')
    }
  })
})

test('a client that breaks off in the middle of a request leaves nothing behind', async () => {
  const listening = await listen()
  await unharmed(listening, async () => {
    const { path, url } = listening
    for (const bytes of [
      'PATCH /v1/camp',
      request(`PATCH ${path}/experiments/0002`, [JSON_TYPE, 'Content-Length: 500'], '{"status":"completed"}'),
      request(
        `PATCH ${path}/experiments/0002`,
        [JSON_TYPE, 'Transfer-Encoding: chunked'],
        '16\r\n{"status":"completed"}',
      ),
    ]) {
      const connection = await RawConnection.open(url)
      connection.write(bytes)
      await sleep(50)
      connection.reset()
    }
    await expectNoConnections(listening)
  })
})

test('a body in chunks is limited like any other', async () => {
  const listening = await listen()
  await unharmed(listening, async () => {
    const size = MIB + 1024
    const head = request(`POST ${listening.path}/experiments/0001/heartbeat`, [JSON_TYPE, 'Transfer-Encoding: chunked'])
    const received = await exchange(listening, `${head}${size.toString(16)}\r\n${' '.repeat(size)}\r\n0\r\n\r\n`)
    expectRawProblem(received, 413, 'body-too-large')
  })
})

test('a body that is declared too large is refused before it is sent', async () => {
  const listening = await listen()
  await unharmed(listening, async () => {
    const head = request(`POST ${listening.path}/resume`, [JSON_TYPE, `Content-Length: ${100 * MIB}`])
    expectRawProblem(await exchange(listening, head), 413, 'body-too-large')
  })
})

test.each([
  ['/v1/campaigns/..', 400, 'invalid'],
  ['/v1/campaigns/../../etc/passwd', 404, 'not-found'],
  ['/v1/campaigns/%2e%2e', 400, 'invalid'],
  ['/v1/campaigns/sweep/experiments/..', 400, 'invalid'],
  ['/v1/campaigns/sweep/../sweep', 404, 'not-found'],
  ['//v1/campaigns', 404, 'not-found'],
  ['/v1/campaigns/%', 400, 'malformed-url'],
])('the path %s is taken as it is written, and leads to no file', async (path, status, code) => {
  expectRawProblem(await exchange(await listen(), request(`GET ${path}`)), status, code)
})

test.each(['PROPFIND', 'TRACE', 'LOCK', 'QUERY'])(
  '%s, a method of HTTP that no path has, is not allowed',
  async (method) => {
    expectRawProblem(await exchange(await listen(), request(`${method} /v1/campaigns`)), 405, 'method-not-allowed')
  },
)

test.each(['BREW /v1/campaigns', 'GET2 /healthz', 'CONNECT localhost:80'])(
  '%s has a method that is none, and does not look like a fault of the service',
  async (line) => {
    const listening = await listen()
    expectRawProblem(await exchange(listening, request(line)), 501, 'unknown-method')
    const behind = await exchange(listening, `GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n${request(line)}`)
    expect(behind.answers().map(({ status }) => status)).toEqual([200, 501])
  },
)

test('a response that is still being sent when a CONNECT comes after it is sent to its end, and the connection closed', async () => {
  const experiments = Array.from({ length: 5000 }, (_, index) => experimentDraft(`e${index}`))
  const campaign = await openCampaign(1, { experiments })
  const listening = { ...campaign, url: await campaign.listen() }
  const get = `GET ${campaign.path} HTTP/1.1\r\nHost: localhost\r\n\r\n`
  const connection = await exchange(listening, `${get}${request('CONNECT localhost:80')}`)
  expect(statusesIn(connection)).toEqual([200, 501])
  expect(connection.text).toContain('"e4999"')
  await expectNoConnections(listening)
})

test('complete requests before malformed bytes get their responses first, in order', async () => {
  const listening = await listen()
  const report = (expId: string, status: string) => {
    const body = JSON.stringify({ status })
    const headers = ['Host: localhost', JSON_TYPE, `Content-Length: ${body.length}`]
    return [`PATCH ${listening.path}/experiments/${expId} HTTP/1.1`, ...headers, '', body].join('\r\n')
  }
  const health = 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n'
  const nonsense = 'nonsense\r\n\r\n'
  for (const [asked, statuses] of [
    [[health], [200, 400]],
    // Answered when it is on disk, which takes longer than to see what is wrong with the rest.
    [[report('0001', 'running')], [200, 400]],
    [
      [report('0002', 'running'), health, report('0003', 'running')],
      [200, 200, 404, 400],
    ],
  ] as const) {
    expect(statusesIn(await exchange(listening, asked.join('') + nonsense))).toEqual(statuses)
  }
})

test('malformed bytes of a reader put nothing into its stream of events', async () => {
  const listening = await listen()
  const stream = await openStream(listening, '')
  for (let count = 0; count < 3; count += 1) {
    stream.write('nonsense\r\n\r\n')
    await sleep(20)
  }
  await expectReportMade(listening)
  await expect.poll(() => stream.text).toContain('event: change')
  expect(statusesIn(stream)).toEqual([200])
  stream.reset()
})

test.each([
  ['nonsense, and is silent', ['nonsense\r\n\r\n'], [400]],
  ['nonsense on and on', Array<string>(40).fill('nonsense\r\n\r\n'), [400]],
  [
    'a chunk without a size',
    [request('POST /v1/campaigns', [JSON_TYPE, 'Transfer-Encoding: chunked'], 'x\r\n')],
    [400],
  ],
  ['a good request and nonsense', ['GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\nnonsense\r\n\r\n'], [200, 400]],
])('a client that sends %s is let go of, though it never closes', async (_what, pieces, statuses) => {
  const listening = await listen()
  const connection = await RawConnection.open(listening.url, { allowHalfOpen: true })
  for (const piece of pieces) {
    connection.write(piece)
    await sleep(20)
  }
  await expectNoConnections(listening)
  expect(statusesIn(connection)).toEqual(statuses)
  connection.reset()
})

test('a reader of a stream that sent malformed bytes is noticed when it leaves', async () => {
  const listening = await listen()
  const stream = await openStream(listening, '', 'nonsense\r\n\r\n')
  const { events } = listening.service
  expect(events.readers).toBe(1)
  stream.endWriting()
  await expect.poll(() => events.readers).toBe(0)
})

test('large responses to a slow client are complete before the problem of what followed them', async () => {
  const { call, url } = await listen()
  const created = await call('POST', '/v1/campaigns', { body: campaignDraft(10_000, { campaign_id: 'large' }) })
  expect(created.status).toBe(201)
  const connection = await RawConnection.open(url)
  connection.stopReading()
  // More than fits between the two.
  const asked = 'GET /v1/campaigns/large HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(8)
  connection.write(`${asked}nonsense\r\n\r\n`)
  // Longer than a client is waited for that was told everything.
  await sleep(1500)
  connection.readOn()
  await connection.closed
  expect(connection.answers().map(({ status }) => status)).toEqual([...Array<number>(8).fill(200), 400])
})

test('a stream whose request was incomplete is cut off, not written into', async () => {
  const stream = await openStream(await listen(), 'Transfer-Encoding: chunked\r\n')
  stream.write('x\r\n')
  await stream.closed
  expect(statusesIn(stream)).toEqual([200])
})
