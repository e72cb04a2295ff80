/** The attackers of the row stalled-readers; their process is told the URL of the service. */

import { setTimeout as sleep } from 'node:timers/promises'
import { RawConnection } from '../../support/http/raw-connection.js'
import { obey } from './attackers.js'
import { keptOpen } from './hostile-request.js'
import { PacedAttack } from './paced-attack.js'
import { beginSlowClients } from './slow-clients.js'

const SLOW_OF_EACH = 4
/** How many connections are opened at once, at a pace that the one machine for both sides keeps up with. */
const AT_ONCE = 10

const url = process.argv[2] ?? ''
const problems: string[] = []
const connections: RawConnection[] = []
let paced: PacedAttack | undefined

const orders = {
  /** Slow clients, pipelines and half-open connections; they go on. */
  attack: async (): Promise<void> => {
    const slow = await beginSlowClients(url, SLOW_OF_EACH)
    connections.push(...slow.map(({ connection }) => connection))
    paced = new PacedAttack(url, (text) => problems.push(text))
  },
  /** Opens streams of a campaign and takes nothing of what comes. */
  stall: async ({ campaign, count }: { readonly campaign: string; readonly count: number }): Promise<void> => {
    for (let opened = 0; opened < count; opened += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, count - opened) }, () => RawConnection.open(url))
      for (const connection of await Promise.all(some)) {
        connection.stopReading()
        connection.write(keptOpen(`GET /v1/campaigns/${campaign}/events`))
        connections.push(connection)
      }
      await sleep(50)
    }
  },
  end: async (): Promise<readonly string[]> => {
    await paced?.end()
    for (const connection of connections) connection.reset()
    return problems
  },
}
export type StalledOrders = typeof orders
obey(orders)
