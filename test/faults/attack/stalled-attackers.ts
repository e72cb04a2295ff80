/** The attackers of the row stalled-readers; their process is told the URL of the service. */

import { setTimeout as sleep } from 'node:timers/promises'
import { RawConnection } from '../../support/http/raw-connection.js'
import { obey } from './attackers.js'
import { BAD_REPORT, CAMPAIGN, keptOpen } from './hostile-request.js'
import { beginSlowClients } from './slow-clients.js'

/** How many connections are opened at once, at a pace that the one machine for both sides keeps up with. */
const AT_ONCE = 10

/** Milliseconds between two rounds: see README.md, "Decisions". */
const TICK = 100
const PIPELINED = 16

const PIPELINE = (keptOpen(`GET ${CAMPAIGN}/progress`) + BAD_REPORT).repeat(PIPELINED / 2)
const REPLY_TIMEOUT = 10_000

const url = process.argv[2] ?? ''
const problems: string[] = []
const connections: RawConnection[] = []
let paced: PacedAttack | undefined

/** Clients at a steady pace: some ask for all before they read, some close their half within a request. */
class PacedAttack {
  private isOver = false
  private readonly exchanges = new Set<Promise<void>>()
  private readonly run = this.attack()

  async end(): Promise<void> {
    this.isOver = true
    await this.run
    await Promise.all(this.exchanges)
  }

  private async attack(): Promise<void> {
    while (!this.isOver) {
      for (const begin of [() => this.pipeline(), () => this.leaveHalfOpen()]) {
        const exchange = begin().catch((error: unknown) => {
          problems.push(`a hostile client could not go on: ${(error as Error).message}`)
        })
        this.exchanges.add(exchange)
        void exchange.then(() => this.exchanges.delete(exchange))
      }
      await sleep(TICK)
    }
  }

  private async pipeline(): Promise<void> {
    const connection = await RawConnection.open(url)
    connection.write(PIPELINE)
    const deadline = performance.now() + REPLY_TIMEOUT
    while (connection.answers().length < PIPELINED && performance.now() < deadline) await sleep(TICK)
    const statuses = connection.answers().map(({ status }) => status)
    connection.reset()
    if (!isPipelineAnswered(statuses)) problems.push(`a pipeline was answered ${statuses.join()}`)
  }

  private async leaveHalfOpen(): Promise<void> {
    const connection = await RawConnection.open(url)
    connection.write(BAD_REPORT.slice(0, -5))
    connection.endWriting()
    await Promise.race([connection.closed, sleep(REPLY_TIMEOUT, undefined, { ref: false })])
    if (!connection.isClosed) problems.push('a half-open connection stays open')
    connection.reset()
  }
}

/** While what waits for clients is at its limit, one that sends so far ahead is refused behind what it got, or cut off. */
function isPipelineAnswered(statuses: readonly number[]): boolean {
  const due = Array.from({ length: PIPELINED }, (_, index) => (index % 2 === 0 ? 200 : 400))
  const answered = statuses.at(-1) === 429 ? statuses.slice(0, -1) : statuses
  const isWhole = answered.length === statuses.length && answered.length > 0
  return answered.join() === due.slice(0, isWhole ? PIPELINED : answered.length).join()
}

const orders = {
  /** Slow clients, pipelines and half-open connections; they go on. */
  attack: async (): Promise<void> => {
    const slow = await beginSlowClients(url)
    connections.push(...slow.map(({ connection }) => connection))
    paced = new PacedAttack()
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
