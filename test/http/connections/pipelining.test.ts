import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { openCampaign } from '../../support/campaigns/campaign.js'
import { anyConnections } from '../../support/http/any-connections.js'
import { RawConnection } from '../../support/http/raw-connection.js'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`

async function connectTo(url: string) {
  const connection = await RawConnection.open(url)
  onTestFinished(() => {
    connection.reset()
  })
  return connection
}

test('17 requests in one piece are responded to in their order', async () => {
  const { listen, path } = await openCampaign(17)
  const connection = await connectTo(await listen())
  const places = Array.from({ length: 17 }, (_, index) => `${path}/experiments/${String(index + 1).padStart(4, '0')}`)
  connection.write(places.map(get).join(''))
  await expect.poll(() => connection.answers().length).toBe(17)
  const ids = connection.answers().map(({ body }) => (JSON.parse(body) as { readonly exp_id: string }).exp_id)
  expect(ids).toEqual(places.map((place) => place.slice(-4)))
})

test('one more is refused, those behind it are not begun, and the connection closes', async () => {
  const { listen, path, manifest } = await openCampaign(100)
  const connection = await connectTo(await listen())
  const body = '{"status":"running"}'
  const reports = Array.from({ length: 100 }, (_, index) => {
    const place = `${path}/experiments/${String(index + 1).padStart(4, '0')}`
    const head = `PATCH ${place} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`
    return `${head}Content-Length: ${body.length}\r\n\r\n${body}`
  })
  connection.write(reports.join(''))
  await connection.closed
  const statuses = connection.answers().map(({ status }) => status)
  expect(statuses).toEqual([...Array.from({ length: 17 }, () => 200), 429])
  const { experiments } = await manifest()
  expect(experiments.filter(({ status }) => status === 'running')).toHaveLength(17)
})

test('of thousands of requests in one piece only those are parsed that may wait', async () => {
  const connections = anyConnections()
  let parsed = 0
  const server = createServer((request, response) => {
    parsed += 1
    connections.of({ raw: request }).takeTurn(request, response, () => {
      response.end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
  })
  const { port } = server.address() as { readonly port: number }
  const connection = await connectTo(`http://127.0.0.1:${port}`)
  connection.write(get('/').repeat(1500))
  await expect.poll(() => connection.answers().length).toBe(18)
  expect(parsed).toBe(18)
})

test.each(['Expect: 100-continue', 'Expect: something', 'Authorization: Bearer nobody'])(
  'requests with %s wait for their turn like any other',
  async (header) => {
    const { listen } = await openCampaign(1)
    const connection = await connectTo(await listen())
    const poll = get('/v1/events')
    const behind = `GET /healthz HTTP/1.1\r\nHost: localhost\r\n${header}\r\n\r\n`
    connection.write(poll + behind.repeat(100))
    await expect.poll(() => connection.text).toContain('event: snapshot')
    expect(connection.text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200'])
  },
)
