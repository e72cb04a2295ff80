/** The attackers of the rows bytes, held and revoked; their process is told the URL of the service. */

import { setTimeout as sleep } from 'node:timers/promises'
import { RawConnection } from '../../support/http/raw-connection.js'
import { obey } from './attackers.js'

/** Connections that are opened at once. */
const AT_ONCE = 10

const url = process.argv[2] ?? ''
const open = new Set<RawConnection>()

export interface Flood {
  /** What each connection sends, in one piece. */
  readonly bytes: string
  readonly connections: number
  /** Milliseconds between ten connections and the next ten. */
  readonly pace: number
}

/** How a client leaves. */
export type Leave = 'reset' | 'half-close'

interface Visit extends Flood {
  readonly leave: Leave
  /** Milliseconds that it stays. */
  readonly stay: number
}

export interface Ended {
  readonly closed: number
  /** Statuses of the responses, by number. */
  readonly statuses: Readonly<Record<string, number>>
}

const orders = {
  /** Sends and reads nothing. */
  deafen: (flood: Flood): Promise<void> => connectAll(flood, (connection) => connection.stopReading()),
  /** Sends and reads all that comes. */
  listen: (flood: Flood): Promise<void> => connectAll(flood, () => undefined),
  /** Sends and leaves. */
  visit: async ({ leave, stay, ...flood }: Visit): Promise<void> => {
    const stays: Promise<void>[] = []
    await connectAll(flood, (connection) => {
      stays.push(
        sleep(stay).then(() => {
          if (leave === 'reset') connection.reset()
          else connection.endWriting()
        }),
      )
    })
    await Promise.all(stays)
  },
  /** What became of the connections. */
  look: async (): Promise<Ended> => {
    const statuses: Record<string, number> = {}
    for (const connection of open) {
      // Also of streams, which have no end.
      for (const [, status = ''] of connection.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
        statuses[status] = (statuses[status] ?? 0) + 1
      }
    }
    return { closed: [...open].filter(({ isClosed }) => isClosed).length, statuses }
  },
  end: async (): Promise<void> => {
    for (const connection of open) connection.reset()
    open.clear()
  },
}
export type ConnectionOrders = typeof orders
obey(orders)

async function connectAll(
  { bytes, connections, pace }: Flood,
  begin: (connection: RawConnection) => void,
): Promise<void> {
  for (let opened = 0; opened < connections; opened += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, connections - opened) }, () => RawConnection.open(url))
    for (const connection of await Promise.all(some)) {
      open.add(connection)
      begin(connection)
      connection.write(bytes)
    }
    await sleep(pace)
  }
}
