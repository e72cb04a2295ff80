import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/**
 * A load of many readers of one campaign and one steady writer, both in processes of their own. Reads a
 * `LiveLoad` as JSON; prints a `LiveResult`.
 */

export interface LiveLoad {
  readonly url: string
  /** Paths to update, round and round. */
  readonly paths: readonly string[]
  readonly events: string
  readonly readers: number
  /** Updates a second, whether those before are answered or not. */
  readonly rate: number
  readonly seconds: number
}

/** How often a reader saw a change, saw it too late, or did not see it though its update was acknowledged. */
export interface Seen {
  readonly seen: number
  readonly late: number
  readonly missed: number
}

export interface LiveResult extends Seen {
  /** Milliseconds from sending an update to its answer. */
  readonly p99: number
  readonly answered: number
  readonly refused: number
}

/** For what is on its way to the readers. */
const AFTERMATH_MS = 1000

if (process.argv[1] === import.meta.filename) {
  const load = JSON.parse(await text(process.stdin)) as LiveLoad
  const readers = load.readers === 0 ? null : await startReaders(load)
  const { replies, latencies, refused } = await write(load)
  await sleep(AFTERMATH_MS)
  const seen = (await readers?.count(replies)) ?? { seen: 0, late: 0, missed: 0 }
  latencies.sort((a, b) => a - b)
  const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN
  process.stdout.write(JSON.stringify({ p99, answered: latencies.length, refused, ...seen } satisfies LiveResult))
}

/** Milliseconds of a clock that is one for all processes of the machine. */
export function machineTime(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

type Replies = readonly (readonly [revision: number, at: number])[]

async function startReaders(load: LiveLoad): Promise<{ count(replies: Replies): Promise<Seen> }> {
  const file = fileURLToPath(new URL('./live-readers.ts', import.meta.url))
  const child = fork(file, [JSON.stringify(load)], { execArgv: ['--import', 'tsx'] })
  await once(child, 'message')
  return {
    count: async (replies) => {
      child.send(replies)
      const [seen] = (await once(child, 'message')) as [Seen]
      return seen
    },
  }
}

/** Sends by the clock, not after replies, so that a slow service gets no lighter load. */
async function write({ url, paths, rate, seconds }: LiveLoad) {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  const replies: (readonly [revision: number, at: number])[] = []
  const latencies: number[] = []
  let refused = 0
  const began = machineTime()
  const calls: Promise<void>[] = []
  const update = async (path: string, body: string) => {
    const sent = machineTime()
    const revision = await patch(agent, url + path, body)
    if (revision === null) refused += 1
    else {
      replies.push([revision, machineTime()])
      latencies.push(machineTime() - sent)
    }
  }
  for (let index = 0; index < rate * seconds; index += 1) {
    await sleep(Math.max(0, began + (index * 1000) / rate - machineTime()))
    const result_path = `results/${began.toFixed(0)}-${String(index).padStart(8, '0')}.json`
    calls.push(update(paths[index % paths.length] ?? '', JSON.stringify({ result_path })))
  }
  await Promise.all(calls)
  agent.destroy()
  return { replies, latencies, refused }
}

/** The revision that it made; null when the reply was not 200. */
async function patch(agent: Agent, url: string, body: string): Promise<number | null> {
  try {
    const call = request(url, { method: 'PATCH', agent, headers: { 'content-type': 'application/json' } }).end(body)
    const [reply] = (await once(call, 'response')) as [IncomingMessage]
    const content = await text(reply)
    return reply.statusCode === 200 ? (JSON.parse(content) as { revision: number }).revision : null
  } catch {
    return null
  }
}
