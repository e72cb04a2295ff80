import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { send } from '../../support/http/client.js'
import { percentile99 } from '../../support/quantiles.js'

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
  readers?.send(replies)
  const [seen] = readers === null ? [{ seen: 0, late: 0, missed: 0 }] : ((await once(readers, 'message')) as [Seen])
  const result: LiveResult = { p99: percentile99(latencies), answered: latencies.length, refused, ...seen }
  process.stdout.write(JSON.stringify(result))
}

/** Milliseconds of a clock that is one for all processes of the machine. */
export function machineTime(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Told when each revision was acknowledged, they tell what they saw. */
async function startReaders(load: LiveLoad): Promise<ChildProcess> {
  const file = fileURLToPath(new URL('./live-readers.ts', import.meta.url))
  const child = fork(file, [JSON.stringify(load)], { execArgv: ['--import', 'tsx'] })
  await once(child, 'message')
  return child
}

/** Sends by the clock, not after replies, so that a slow service gets no lighter load. */
async function write({ url, paths, rate, seconds }: LiveLoad) {
  const replies: (readonly [revision: number, at: number])[] = []
  const latencies: number[] = []
  let refused = 0
  const began = machineTime()
  const calls: Promise<void>[] = []
  const update = async (path: string, body: object) => {
    const sent = machineTime()
    const reply = await send('PATCH', url + path, body).catch(() => null)
    const at = machineTime()
    if (reply?.status === 200) {
      replies.push([reply.json<{ revision: number }>().revision, at])
      latencies.push(at - sent)
    } else refused += 1
  }
  for (let index = 0; index < rate * seconds; index += 1) {
    await sleep(Math.max(0, began + (index * 1000) / rate - machineTime()))
    const result_path = `results/${began.toFixed(0)}-${String(index).padStart(8, '0')}.json`
    calls.push(update(paths[index % paths.length] ?? '', { result_path }))
  }
  await Promise.all(calls)
  return { replies, latencies, refused }
}
