import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import type { Problem } from '#campaignd/http/problems/problem.js'
import { openCampaign } from '../../support/campaigns/campaign.js'
import { BODY_DOORS } from '../../support/http/doors.js'
import { type RawAnswer, RawConnection } from '../../support/http/raw-connection.js'
import { testTokens } from '../../support/service/tokens.js'
import { bytesOf } from '../../support/store/files.js'

const MIB = 1024 * 1024
const SWEEP = '/v1/campaigns/sweep'
const JSON_TYPE = 'Content-Type: application/json'

const known = testTokens()
const ADMIN = `Authorization: ${known.as('admin').authorization}`

/** A service with tokens that listens, with the campaign `sweep`. */
async function listen() {
  let isOpen = true
  const campaign = await openCampaign(2, {}, { access: { tokens: () => (isOpen ? null : known.tokens) } })
  isOpen = false
  return { ...campaign, url: await campaign.listen() }
}

interface Refusal {
  readonly what: string
  readonly line: string
  readonly headers: readonly string[]
  readonly expected: string
}

/** Every reason that the head of a request gives to refuse it. */
const REFUSALS: readonly Refusal[] = [
  { what: 'an unknown path', line: 'POST /v1/nothing', headers: [ADMIN, JSON_TYPE], expected: '404 not-found' },
  { what: 'a trailing slash', line: 'POST /v1/campaigns/', headers: [ADMIN, JSON_TYPE], expected: '404 not-found' },
  {
    what: 'another method',
    line: `PUT ${SWEEP}/retry`,
    headers: [ADMIN, JSON_TYPE],
    expected: '405 method-not-allowed',
  },
  { what: 'no token', line: 'POST /v1/campaigns', headers: [JSON_TYPE], expected: '401 unauthorized' },
  {
    what: 'a token of another role',
    line: 'POST /v1/campaigns',
    headers: [`Authorization: ${known.as('read').authorization}`, JSON_TYPE],
    expected: '403 forbidden',
  },
  {
    what: 'another type',
    line: 'POST /v1/campaigns',
    headers: [ADMIN, 'Content-Type: text/plain'],
    expected: '415 unsupported-media-type',
  },
  { what: 'no type', line: 'POST /v1/campaigns', headers: [ADMIN], expected: '415 unsupported-media-type' },
  {
    what: 'another encoding',
    line: 'POST /v1/campaigns',
    headers: [ADMIN, JSON_TYPE, 'Content-Encoding: br'],
    expected: '415 unsupported-encoding',
  },
  {
    what: 'a query that is no text',
    line: 'POST /v1/campaigns?timezone=%ff',
    headers: [ADMIN, JSON_TYPE],
    expected: '400 malformed-url',
  },
  { what: 'a path that is no text', line: 'POST /v1/%ff', headers: [ADMIN, JSON_TYPE], expected: '400 malformed-url' },
  {
    what: 'another host',
    line: 'POST /v1/campaigns',
    headers: ['Host: evil.example', ADMIN, JSON_TYPE],
    expected: '421 misdirected-request',
  },
  {
    what: 'another expectation',
    line: 'POST /v1/campaigns',
    headers: ['Expect: miracles', ADMIN, JSON_TYPE],
    expected: '417 expectation-failed',
  },
]

const LENGTHS = [['Content-Length: 1000'], [`Content-Length: ${100 * MIB}`], ['Transfer-Encoding: chunked']] as const

function head(line: string, headers: readonly string[]): string {
  const host = headers.some((one) => one.startsWith('Host:')) ? [] : ['Host: localhost']
  return [`${line} HTTP/1.1`, ...host, ...headers, '', ''].join('\r\n')
}

function codeOf({ status, body }: RawAnswer): string {
  return `${status} ${(JSON.parse(body) as { code?: string }).code}`
}

async function firstAnswer(connection: RawConnection): Promise<RawAnswer> {
  await expect.poll(() => connection.answers()).not.toEqual([])
  return connection.answers()[0] as RawAnswer
}

test.each(REFUSALS)('$what is refused before a byte of the body is read or asked for', async (refusal) => {
  const { url, dataDir } = await listen()
  const before = bytesOf(dataDir)
  const isExpectation = refusal.expected.startsWith('417')
  for (const length of LENGTHS) {
    for (const expectation of isExpectation ? [[]] : [[], ['Expect: 100-continue']]) {
      const connection = await RawConnection.open(url)
      connection.write(head(refusal.line, [...refusal.headers, ...length, ...expectation]))
      expect(codeOf(await firstAnswer(connection))).toBe(refusal.expected)
      connection.reset()
    }
  }
  expect(bytesOf(dataDir)).toEqual(before)
})

test('a body that is declared too long is refused at every door before it is asked for; the limit is named', async () => {
  const { url } = await listen()
  for (const { method, path, id } of BODY_DOORS) {
    for (const expectation of [[], ['Expect: 100-continue']]) {
      const connection = await RawConnection.open(url)
      connection.write(head(`${method} ${path}`, [ADMIN, JSON_TYPE, 'Content-Length: 1000000000', ...expectation]))
      const reply = await firstAnswer(connection)
      expect(`${id} ${codeOf(reply)}`).toBe(`${id} 413 body-too-large`)
      expect(reply.headers.get('connection')).toBe('close')
      const { detail } = JSON.parse(reply.body) as Problem
      expect(detail).toMatch(/ [\d,]{7,} bytes, .*(no setting raises it|setting CAMPAIGND_\w+ raises it)/)
      connection.reset()
    }
  }
})

test('a body in chunks is refused at every door as soon as it is too long', async () => {
  const { url } = await listen()
  const megabyte = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(MIB, ' '), Buffer.from('\r\n')])
  for (const { method, path, id } of BODY_DOORS) {
    const connection = await RawConnection.open(url)
    connection.write(head(`${method} ${path}`, [ADMIN, JSON_TYPE, 'Transfer-Encoding: chunked']))
    let sent = 0
    while (connection.answers().length === 0 && sent < 128) {
      connection.write(megabyte)
      sent += 1
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(`${id} ${codeOf(await firstAnswer(connection))}`).toBe(`${id} 413 body-too-large`)
    connection.reset()
  }
})

test('a client that waits for 100 Continue gets it once its request is not refused', async () => {
  const { url } = await listen()
  const connection = await RawConnection.open(url)
  connection.write(head(`POST ${SWEEP}/retry`, [ADMIN, JSON_TYPE, 'Content-Length: 2', 'Expect: 100-continue']))
  await expect.poll(() => connection.answers().map(({ status }) => status)).toEqual([100])
  connection.write('{}')
  await expect.poll(() => connection.answers().map(({ status }) => status)).toEqual([100, 200])
  connection.write(head('GET /healthz', []))
  await expect.poll(() => connection.answers().map(({ status }) => status)).toEqual([100, 200, 200])
  connection.reset()
})

/** Refused by its length, by its route and by its token. */
const LONG: readonly (readonly [
  what: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  status: number,
])[] = [
  ['a body that is too long', `${SWEEP}/experiments/0001/heartbeat`, known.as('admin'), 413],
  ['a path that there is not', '/v1/nothing', known.as('admin'), 404],
  ['a call without a token', '/v1/campaigns', {}, 401],
]

test.each(LONG)('the refusal of %s is heard by fetch, which sends on', async (_what, path, headers, status) => {
  const { url } = await listen()
  const options = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' } }
  const whole = () => Buffer.alloc(20 * MIB, ' ')
  const pieces = () => Readable.from(Array.from({ length: 20 }, () => Buffer.alloc(MIB, ' ')))
  for (const body of [whole, pieces, whole, pieces, whole, pieces]) {
    const reply = await fetch(url + path, { ...options, body: body(), duplex: 'half' })
    expect([reply.status, await reply.json()]).toMatchObject([status, { status }])
  }
})

test.each(LONG)('the refusal of %s is heard by a client that reads when it has sent all', async (...row) => {
  const [, path, headers, status] = row
  const { url } = await listen()
  const authorization = headers['authorization'] === undefined ? [] : [ADMIN]
  for (const length of [`Content-Length: ${20 * MIB}`, 'Transfer-Encoding: chunked']) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.pause()
    socket.write(head(`POST ${path}`, [...authorization, JSON_TYPE, length]))
    if (!length.includes('20')) socket.write('1400000\r\n')
    await new Promise((resolve) => socket.write(Buffer.alloc(20 * MIB, ' '), resolve))
    expect(await text(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  }
})

test.each([
  ['POST /v1/nothing', 404],
  [`POST ${SWEEP}/experiments/0001/heartbeat`, 413],
  ['GET /healthz', 200],
  ['BREW /v1/campaigns', 501],
])('%s with a body without end is answered, and its client is not read without end', async (line, status) => {
  const { url, app } = await listen()
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const closed = once(
    socket.on('error', () => undefined),
    'close',
  )
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
  socket.write(head(line, [ADMIN, JSON_TYPE, 'Transfer-Encoding: chunked']))
  const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(MIB, ' '), Buffer.from('\r\n')])
  const fill = () => {
    while (!socket.destroyed && socket.write(chunk));
  }
  socket.on('drain', fill)
  fill()
  await closed
  expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(socket.bytesWritten).toBeLessThan(160 * MIB)
  await expect
    .poll(() => new Promise((resolve) => app.server.getConnections((_error, count) => resolve(count))))
    .toBe(0)
})

test('a refused request whose short body comes later leaves its connection open', async () => {
  const { url } = await listen()
  const connection = await RawConnection.open(url)
  connection.write(head('POST /v1/campaigns', [JSON_TYPE, 'Content-Length: 10']))
  expect(codeOf(await firstAnswer(connection))).toBe('401 unauthorized')
  connection.write(`{"a":1234}${head('GET /healthz', [])}`)
  await expect.poll(() => connection.answers().map(({ status }) => status)).toEqual([401, 200])
  connection.reset()
})
