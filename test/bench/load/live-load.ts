import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
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

/** How often a reader saw a change, how often too late, and how often not at all though it was answered. */
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
  const { answers, latencies, refused } = await write(load)
  await sleep(AFTERMATH_MS)
  const seen = (await readers?.judge(answers)) ?? { seen: 0, late: 0, missed: 0 }
  latencies.sort((a, b) => a - b)
  const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN
  process.stdout.write(JSON.stringify({ p99, answered: latencies.length, refused, ...seen } satisfies LiveResult))
}

/** Milliseconds of a clock that is one for all processes of the machine. */
export function machineTime(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

type Answers = readonly (readonly [revision: number, at: number])[]

async function startReaders(load: LiveLoad): Promise<{ judge(answers: Answers): Promise<Seen> }> {
  const file = fileURLToPath(new URL('./live-readers.ts', import.meta.url))
  const child = fork(file, [JSON.stringify(load)], { execArgv: ['--import', 'tsx'] })
  await once(child, 'message')
  return {
    judge: async (answers) => {
      child.send(answers)
      const [seen] = (await once(child, 'message')) as [Seen]
      return seen
    },
  }
}

/** Sends by the clock and not by the answers, so that a slow service is not spared. */
async function write({ url, paths, rate, seconds }: LiveLoad) {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  const answers: (readonly [revision: number, at: number])[] = []
  const latencies: number[] = []
  let refused = 0
  const began = machineTime()
  const calls: Promise<void>[] = []
  for (let index = 0; index < rate * seconds; index += 1) {
    await sleep(Math.max(0, began + (index * 1000) / rate - machineTime()))
    const sent = machineTime()
    const body = JSON.stringify({ result_path: `results/${began.toFixed(0)}-${String(index).padStart(8, '0')}.json` })
    const call = patch(agent, url + (paths[index % paths.length] ?? ''), body).then((revision) => {
      if (revision === null) refused += 1
      else {
        answers.push([revision, machineTime()])
        latencies.push(machineTime() - sent)
      }
    })
    calls.push(call)
  }
  await Promise.all(calls)
  agent.destroy()
  return { answers, latencies, refused }
}

/** The revision that it made; null when it was not answered with 200. */
function patch(agent: Agent, url: string, body: string): Promise<number | null> {
  return new Promise((resolve) => {
    const call = request(url, { method: 'PATCH', agent, headers: { 'content-type': 'application/json' } }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => (text += part))
      answer.on('end', () => {
        resolve(answer.statusCode === 200 ? (JSON.parse(text) as { revision: number }).revision : null)
      })
    })
    call.on('error', () => {
      resolve(null)
    })
    call.end(body)
  })
}
