import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import type { Problem } from '#campaignd/http/problems/problem.js'
import { openCampaign, type TestCampaign } from '../../support/campaigns/campaign.js'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { bytesOf } from '../../support/store/files.js'
import { TIME_LIMIT } from '../../support/time-limit.js'

const MIB = 1024 * 1024

interface Listening extends TestCampaign {
  readonly port: number
}

interface RawAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
}

async function listen(): Promise<Listening> {
  const campaign = await openCampaign(2)
  const url = await campaign.listen()
  return { ...campaign, port: Number(new URL(url).port) }
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  // What the service does with a broken connection is looked at elsewhere; here it must not end the test.
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** Sends the bytes, then nothing more; resolves with all that comes back until the service closes. */
async function exchange(port: number, bytes: string, { halfClose = false } = {}): Promise<string> {
  const socket = await dial(port)
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
  if (halfClose) socket.end(bytes)
  else socket.write(bytes)
  const closed = once(socket, 'close')
  socket.setTimeout(TIME_LIMIT, () => socket.destroy())
  await closed
  return received
}

function parse(received: string): RawAnswer {
  const [head = '', body = ''] = received.split(/\r\n\r\n(.*)/s)
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]),
    type: /^content-type: (.*)$/im.exec(head)?.[1]?.trim() ?? '',
    body,
  }
}

/** Of all answers, in their order. */
function statusesIn(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}

function expectRawProblem(received: string, status: number, code: string): void {
  const answer = parse(received)
  expect([answer.status, answer.type.split(';')[0]], received).toEqual([status, 'application/problem+json'])
  const problem = JSON.parse(answer.body) as Problem
  expect(problem).toMatchObject({ status, code, type: `/problems/${code}` })
}

/** Expects that nothing on disk was touched, and that the next good call over a socket is served. */
async function unharmed({ dataDir, path, port }: Listening, attack: () => Promise<void>): Promise<void> {
  const before = bytesOf(dataDir)
  await attack()
  expect(bytesOf(dataDir)).toEqual(before)
  const report = await fetch(`http://127.0.0.1:${port}${path}/experiments/0001`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: '{"status":"running"}',
  })
  expect(report.status).toBe(200)
}

function request(line: string, headers: readonly string[] = [], body = ''): string {
  return [`${line} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers, '', body].join('\r\n')
}

const JSON_TYPE = 'Content-Type: application/json'

test.each([
  ['a word', 'NONSENSE\r\n\r\n'],
  ['bytes of another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ['a method that there is not', request('BREW /v1/campaigns')],
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
    expectRawProblem(await exchange(listening.port, bytes), 400, 'malformed-request')
  })
})

test('headers that are too large get a 431', async () => {
  const listening = await listen()
  await unharmed(listening, async () => {
    const one = request('GET /v1/campaigns', [`X-Large: ${'x'.repeat(20_000)}`])
    expectRawProblem(await exchange(listening.port, one), 431, 'headers-too-large')
    const many = request(
      'GET /v1/campaigns',
      Array.from({ length: 1000 }, (_, index) => `X-${index}: ${'x'.repeat(20)}`),
    )
    expectRawProblem(await exchange(listening.port, many), 431, 'headers-too-large')
    const url = request(`GET /v1/campaigns?name=${'x'.repeat(20_000)}`)
    expectRawProblem(await exchange(listening.port, url), 431, 'headers-too-large')
  })
})

test('an unknown Expect header gets a problem', async () => {
  const { port } = await listen()
  const answer = parse(await exchange(port, request('GET /v1/campaigns', ['Expect: miracles'])))
  expect(answer.status).toBeGreaterThanOrEqual(400)
  expect(answer.type).toMatch(/^application\/problem\+json\b/)
})

test('a body that ends before its length is refused, with a response where that is possible', async () => {
  const listening = await listen()
  const cut = (path: string, method: string) =>
    request(`${method} ${path}`, [JSON_TYPE, 'Content-Length: 500'], '{"status":"completed"}')
  await unharmed(listening, async () => {
    const { path, port } = listening
    for (const bytes of [cut(`${path}/experiments/0002`, 'PATCH'), cut(`${path}/resume`, 'POST')]) {
      expectRawProblem(await exchange(port, bytes, { halfClose: true }), 400, 'malformed-request')
    }
  })
})

test('a client that breaks off in the middle of a request leaves nothing behind', async () => {
  const listening = await listen()
  await unharmed(listening, async () => {
    const { app, path, port } = listening
    for (const bytes of [
      'PATCH /v1/camp',
      request(`PATCH ${path}/experiments/0002`, [JSON_TYPE, 'Content-Length: 500'], '{"status":"completed"}'),
      request(
        `PATCH ${path}/experiments/0002`,
        [JSON_TYPE, 'Transfer-Encoding: chunked'],
        '16\r\n{"status":"completed"}',
      ),
    ]) {
      const socket = await dial(port)
      socket.write(bytes)
      await new Promise((resolve) => setTimeout(resolve, 50))
      socket.resetAndDestroy()
    }
    await expect
      .poll(() => new Promise((resolve) => app.server.getConnections((_error, count) => resolve(count))))
      .toBe(0)
  })
})

test('a body in chunks is limited like any other', async () => {
  const listening = await listen()
  await unharmed(listening, async () => {
    const size = MIB + 1024
    const head = request(`POST ${listening.path}/resume`, [JSON_TYPE, 'Transfer-Encoding: chunked'])
    const received = await exchange(listening.port, `${head}${size.toString(16)}\r\n${' '.repeat(size)}\r\n0\r\n\r\n`)
    expectRawProblem(received, 413, 'body-too-large')
  })
})

test('a body that is declared too large is refused before it is sent', async () => {
  const listening = await listen()
  await unharmed(listening, async () => {
    const head = request(`POST ${listening.path}/resume`, [JSON_TYPE, `Content-Length: ${100 * MIB}`])
    expectRawProblem(await exchange(listening.port, head), 413, 'body-too-large')
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
  const { port } = await listen()
  expectRawProblem(await exchange(port, request(`GET ${path}`)), status, code)
})

test.each(['PROPFIND', 'OPTIONS', 'TRACE', 'LOCK'])(
  '%s, a method of HTTP that no path has, is not found',
  async (method) => {
    const { port } = await listen()
    expectRawProblem(await exchange(port, request(`${method} /v1/campaigns`)), 404, 'not-found')
  },
)

test('complete requests before malformed bytes get their responses first, in order', async () => {
  const { port, path } = await listen()
  const report = (expId: string, status: string) => {
    const body = JSON.stringify({ status })
    const headers = ['Host: localhost', JSON_TYPE, `Content-Length: ${body.length}`]
    return [`PATCH ${path}/experiments/${expId} HTTP/1.1`, ...headers, '', body].join('\r\n')
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
    const received = await exchange(port, asked.join('') + nonsense)
    expect(statusesIn(received)).toEqual(statuses)
  }
})

test('malformed bytes of a reader put nothing into its stream of events', async () => {
  const { port, path } = await listen()
  const socket = await dial(port)
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
  socket.write(`GET ${path}/events HTTP/1.1\r\nhost: localhost\r\n\r\n`)
  await expect.poll(() => received).toContain('event: ')
  for (let count = 0; count < 3; count += 1) {
    socket.write('nonsense\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const report = await fetch(`http://127.0.0.1:${port}${path}/experiments/0001`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: '{"status":"running"}',
  })
  expect(report.status).toBe(200)
  await expect.poll(() => received).toContain('event: change')
  expect(statusesIn(received)).toEqual([200])
  socket.destroy()
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
  const { app, port } = await listen()
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
  for (const piece of pieces) {
    socket.write(piece)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const connections = () =>
    new Promise((resolve) => {
      app.server.getConnections((_error, count) => {
        resolve(count)
      })
    })
  await expect.poll(connections).toBe(0)
  expect(statusesIn(received)).toEqual(statuses)
  socket.destroy()
})

test('a reader of a stream that sent malformed bytes is noticed when it leaves', async () => {
  const { service, port, path } = await listen()
  const socket = await dial(port)
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
  socket.write(`GET ${path}/events HTTP/1.1\r\nhost: localhost\r\n\r\nnonsense\r\n\r\n`)
  await expect.poll(() => received).toContain('event: ')
  expect(service.events.readers).toBe(1)
  socket.end()
  await expect.poll(() => service.events.readers).toBe(0)
})

test('large responses to a slow client are complete before the problem of what followed them', async () => {
  const { app, port } = await listen()
  const experiments = Array.from({ length: 10_000 }, (_, index) => experimentDraft(String(index).padStart(5, '0')))
  const created = await app.inject({
    method: 'POST',
    url: '/v1/campaigns',
    payload: campaignDraft(0, { campaign_id: 'large', experiments }),
  })
  expect(created.statusCode).toBe(201)
  const socket = await dial(port)
  // More than fits between the two.
  const asked = 'GET /v1/campaigns/large HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(8)
  socket.write(`${asked}nonsense\r\n\r\n`)
  // Longer than a client is waited for that was told everything.
  await new Promise((resolve) => setTimeout(resolve, 1500))
  const received = await text(socket)
  expect(statusesIn(received)).toEqual([...Array<number>(8).fill(200), 400])
})

test('a stream whose request was incomplete is cut off, not written into', async () => {
  const { port, path } = await listen()
  const socket = await dial(port)
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
  const closed = once(socket, 'close')
  socket.write(`GET ${path}/events HTTP/1.1\r\nhost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`)
  await expect.poll(() => received).toContain('event: ')
  socket.write('x\r\n')
  await closed
  expect(statusesIn(received)).toEqual([200])
})
