/** The attackers of the row hostile-input; their process is told the URL of the service. */

import { setTimeout as sleep } from 'node:timers/promises'
import { type RawAnswer, RawConnection } from '../../support/http/raw-connection.js'
import type { Findings } from '../fault.js'
import { obey } from './attackers.js'
import type { Hostile } from './hostile-request.js'
import { HOSTILE } from './hostile-requests.js'
import { beginSlowClients, type Begun, type Limit } from './slow-clients.js'

/** Milliseconds in which the service must have cut off a client that runs into a limit. */
const CUT_OFF: Readonly<Record<Limit, number>> = { headers: 20_000, request: 70_000, none: Infinity }

/** Milliseconds between two hostile requests: see README.md, "Decisions". */
const PACE = 10
/** Milliseconds within which a connection with a hostile request on it must have ended. */
const EXCHANGE = 30_000

const url = process.argv[2] ?? ''
/** Put together before anything is measured. */
const arsenal = HOSTILE.map((hostile) => ({ hostile, bytes: Buffer.from(hostile.bytes(), 'latin1') }))
let slow: readonly Begun[] = []

const orders = {
  /** All of it so many times, beside slow clients of each kind. */
  attack: async (passes: number): Promise<Findings> => {
    // Not those that ask for 5000 answers at once: they are a flood, and begin where no time is measured.
    const beside = await beginSlowClients(url, ['headers', 'request'])
    const seen = new SeenReplies()
    for (let pass = 0; pass < passes; pass += 1) await sendAll(seen)
    for (const { connection } of beside) connection.reset()
    return seen
  },
  /** Slow clients, left to run into the limits. */
  stall: async (limits: readonly Limit[]): Promise<Findings> => {
    slow = await beginSlowClients(url)
    const limited = slow.filter(({ client }) => limits.includes(client.limit))
    const problems = (await Promise.all(limited.map(faultsOfCutOff))).flat()
    return { counts: { 'slow clients cut off': limited.length - problems.length }, problems }
  },
  /** What is wrong with how the connections of the slow ones ended with the service. */
  leave: async (): Promise<readonly string[]> => {
    return (await Promise.all(slow.map(faultsOfLeaving))).flat()
  },
}
export type HostileOrders = typeof orders
obey(orders)

class SeenReplies {
  readonly problems: string[] = []
  readonly counts = { sent: 0, refused: 0, unanswered: 0 }

  add({ name, answers, least }: Hostile, received: readonly RawAnswer[]): void {
    for (const answer of received) {
      const verdict = verdictOf(answer)
      if (answers.includes(verdict)) this.counts.refused += 1
      else this.problems.push(`${name} was answered ${verdict}, not ${answers.join(' or ')}`)
    }
    if (received.length === 0) this.counts.unanswered += 1
    if (received.length < least) this.problems.push(`${name} was answered ${received.length} times, not ${least}`)
  }
}

async function sendAll(seen: SeenReplies): Promise<void> {
  const shuffled = arsenal.map((one) => ({ ...one, place: Math.random() })).sort((a, b) => a.place - b.place)
  const exchanges: Promise<void>[] = []
  for (const { hostile, bytes } of shuffled) {
    exchanges.push(sendOne(hostile, bytes, seen))
    await sleep(PACE)
  }
  await Promise.all(exchanges)
}

async function sendOne(hostile: Hostile, bytes: Buffer, seen: SeenReplies): Promise<void> {
  const connection = await RawConnection.open(url)
  connection.write(bytes)
  if (hostile.then === 'end-writing') connection.endWriting()
  if (hostile.then === 'reset') {
    // Time for the service to have read it.
    await sleep(20)
    connection.reset()
  }
  await Promise.race([connection.closed, timeLimit(EXCHANGE)])
  seen.counts.sent += 1
  if (!connection.isClosed) seen.problems.push(`${hostile.name}: the connection stays open`)
  connection.reset()
  try {
    seen.add(hostile, connection.answers())
  } catch (error) {
    seen.problems.push(`${hostile.name}: ${(error as Error).message}`)
  }
}

/** A client that runs into a limit is told so and cut off. */
async function faultsOfCutOff({ client, connection }: Begun): Promise<string[]> {
  const most = CUT_OFF[client.limit]
  await Promise.race([connection.closed, timeLimit(most)])
  if (!connection.isClosed) return [`the client that ${client.name} is not cut off after ${most / 1000} s`]
  const verdicts = connection.answers().map(verdictOf).join()
  if (verdicts === '408 request-timeout') return []
  return [`the client that ${client.name} was answered ${verdicts || 'nothing'}`]
}

async function faultsOfLeaving({ client, connection }: Begun): Promise<string[]> {
  if (client.limit === 'none') connection.reset()
  await connection.closed
  if (client.limit === 'none') return []
  const wrong = connection.answers().filter(({ status }) => status < 400 || status > 499)
  return wrong.slice(0, 1).map(({ status }) => `the client that ${client.name} was answered ${status}`)
}

/** Time that passes without keeping a process that has nothing else to do. */
function timeLimit(milliseconds: number): Promise<void> {
  return sleep(milliseconds, undefined, { ref: false })
}

/** Status and code of a problem, or what is wrong with it as one. */
function verdictOf({ status, headers, body }: RawAnswer): string {
  const type = headers.get('content-type') ?? ''
  if (!/^application\/problem\+json\b/.test(type)) return `${status} ${type}`
  const problem = JSON.parse(body) as { status: number; code: string; type: string }
  const isWhole = problem.status === status && problem.type === `/problems/${problem.code}`
  return isWhole ? `${status} ${problem.code}` : `${status} ${body}`
}
