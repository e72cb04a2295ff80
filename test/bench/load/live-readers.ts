import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LiveLoad, machineTime, type Seen } from './live-load.js'

/** Milliseconds after its answer from which on a change is told late. */
const LATE = 250

/** What one reader had, and since when: the newest revision that it was told of. */
interface Told {
  readonly revision: number
  readonly at: number
}

/**
 * Many readers of one campaign, in a process of their own. Its argument is a `LiveLoad` as JSON. Says `ready` to the process
 * that forked it once each has its first event; told when each revision was answered, it says what was seen, and ends.
 */
const load = JSON.parse(process.argv[2] ?? '{}') as LiveLoad
const told: Told[][] = Array.from({ length: load.readers }, () => [])
/**
 * What all of them read into, one after the other. With a buffer for each piece the collection of garbage takes the processors
 * from the service, and its pauses are what is measured.
 */
const buffer = Buffer.allocUnsafeSlow(64 * 1024)
for (const [index, history] of told.entries()) {
  readEvents(history)
  // All at once are more than a listen queue holds.
  if (index % 50 === 49) await sleep(10)
}
while (told.some((history) => history.length === 0)) await sleep(20)
process.once('message', (answers: readonly [revision: number, at: number][]) => {
  process.send?.(judge(new Map(answers)), () => process.exit(0))
})
process.send?.('ready')

function readEvents(history: Told[]): void {
  const { hostname, port } = new URL(load.url)
  const callback = (length: number) => {
    const revision = newestRevisionIn(buffer.subarray(0, length))
    if (revision !== null) history.push({ revision, at: machineTime() })
    return true
  }
  const socket = connect({ port: Number(port), host: hostname, onread: { buffer, callback } })
  socket.write(`GET ${load.events} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`)
}

function judge(answeredAt: ReadonlyMap<number, number>): Seen {
  const counts = { seen: 0, late: 0, missed: 0 }
  const last = Math.max(...answeredAt.keys())
  for (const history of told) {
    for (const [index, { revision, at }] of history.slice(1).entries()) {
      for (let one = (history[index]?.revision ?? 0) + 1; one <= revision; one += 1) {
        counts.seen += 1
        // One that came before its answer was not late.
        if (at - (answeredAt.get(one) ?? at) > LATE) counts.late += 1
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
