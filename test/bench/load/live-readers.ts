import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LiveLoad, machineTime, type Seen } from './live-load.js'

/** Milliseconds after its reply from which on a change is late. */
const LATE = 250

/** The newest revision that a reader had at a time. */
interface Delivery {
  readonly revision: number
  readonly at: number
}

/**
 * Many readers of one campaign, in a process of their own. Its argument is a `LiveLoad` as JSON. Says `ready` to the process
 * that forked it once each reader has its first event. Sent the time of the reply of each revision, it returns the counts and exits.
 */
const load = JSON.parse(process.argv[2] ?? '{}') as LiveLoad
const histories: Delivery[][] = Array.from({ length: load.readers }, () => [])
/**
 * What all of them read into, one after the other. With a buffer for each piece the collection of garbage takes the processors
 * from the service, and its pauses are what is measured.
 */
const buffer = Buffer.allocUnsafeSlow(64 * 1024)
for (const [index, history] of histories.entries()) {
  readEvents(history)
  // All at once are more than a listen queue holds.
  if (index % 50 === 49) await sleep(10)
}
while (histories.some((history) => history.length === 0)) await sleep(20)
process.once('message', (replies: readonly [revision: number, at: number][]) => {
  process.send?.(count(new Map(replies)), () => process.exit(0))
})
process.send?.('ready')

function readEvents(history: Delivery[]): void {
  const { hostname, port } = new URL(load.url)
  const callback = (length: number) => {
    const revision = newestRevisionIn(buffer.subarray(0, length))
    if (revision !== null) history.push({ revision, at: machineTime() })
    return true
  }
  const socket = connect({ port: Number(port), host: hostname, onread: { buffer, callback } })
  socket.write(`GET ${load.events} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`)
}

function count(repliedAt: ReadonlyMap<number, number>): Seen {
  const counts = { seen: 0, late: 0, missed: 0 }
  const last = Math.max(...repliedAt.keys())
  for (const history of histories) {
    for (const [index, { revision, at }] of history.slice(1).entries()) {
      for (let one = (history[index]?.revision ?? 0) + 1; one <= revision; one += 1) {
        counts.seen += 1
        // A change that came before its reply was not late.
        if (at - (repliedAt.get(one) ?? at) > LATE) counts.late += 1
      }
    }
    counts.missed += Math.max(0, last - (history.at(-1)?.revision ?? 0))
  }
  return counts
}

/**
 * The revision in the last id that is whole in the bytes, whether the build puts the uid of the campaign before it or not; to
 * read all events would take the machine that is measured.
 */
function newestRevisionIn(chunk: Buffer): number | null {
  for (let at = chunk.lastIndexOf('\nid: '); at > 0; at = chunk.lastIndexOf('\nid: ', at - 1)) {
    const end = chunk.indexOf('\n', at + 1)
    if (end === -1) continue
    const id = chunk.toString('latin1', at + '\nid: '.length, end)
    return Number(id.slice(id.lastIndexOf('-') + 1))
  }
  return null
}
