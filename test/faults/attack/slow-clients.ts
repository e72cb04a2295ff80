import { RawConnection } from '../../support/http/raw-connection.js'
import { CAMPAIGN, CHUNKED, keptOpen } from './hostile-request.js'

/** Which of the service's limits a client runs into that takes its time; one that takes no answers runs into none. */
export type Limit = 'headers' | 'request' | 'none'

interface SlowClient {
  readonly name: string
  readonly limit: Limit
  /** Sent at once; then a byte every now and then, when there is one. */
  readonly bytes: string
  readonly drip?: string
}

export interface Begun {
  readonly client: SlowClient
  readonly connection: RawConnection
}

const OF_EACH = 4
const DRIP = 250
const HEAD = `PATCH ${CAMPAIGN}/experiments/0002 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`

const SLOW_CLIENTS: readonly SlowClient[] = [
  { name: 'says nothing', limit: 'headers', bytes: '' },
  { name: 'stops within the first line', limit: 'headers', bytes: 'PATCH /v1/camp' },
  { name: 'stops within the headers', limit: 'headers', bytes: HEAD },
  { name: 'drips its headers', limit: 'headers', bytes: `${HEAD}X-Slow: `, drip: 'x' },
  { name: 'stops within the body', limit: 'request', bytes: `${HEAD}Content-Length: 100\r\n\r\n{"status":` },
  { name: 'drips its body', limit: 'request', bytes: `${HEAD}Content-Length: 10000\r\n\r\n{"worker":"`, drip: 'x' },
  { name: 'drips its chunks', limit: 'request', bytes: `${HEAD}${CHUNKED}\r\n\r\n`, drip: '1\r\n \r\n' },
  {
    name: 'asks on and on, and reads nothing',
    limit: 'none',
    bytes: keptOpen(`GET ${CAMPAIGN}`).repeat(5000),
  },
]

/** Begins some of each kind that run into one of the limits. */
export async function beginSlowClients(
  url: string,
  limits: readonly Limit[] = ['headers', 'request', 'none'],
): Promise<Begun[]> {
  const wanted = SLOW_CLIENTS.filter(({ limit }) => limits.includes(limit))
  const clients = wanted.flatMap((client) => Array.from({ length: OF_EACH }, () => client))
  return Promise.all(clients.map((client) => begin(url, client)))
}

async function begin(url: string, client: SlowClient): Promise<Begun> {
  const connection = await RawConnection.open(url)
  if (client.limit === 'none') connection.stopReading()
  connection.write(client.bytes)
  const drip = setInterval(() => {
    if (client.drip !== undefined) connection.write(client.drip)
  }, DRIP)
  void connection.closed.then(() => clearInterval(drip))
  return { client, connection }
}
