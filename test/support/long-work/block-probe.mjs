import { readFileSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

/**
 * Loaded before a build of the service, started with a channel: on request it tells for how long the event loop was held since the
 * request before. Plain JavaScript, so that the build runs as it ships.
 */

/** Milliseconds between two looks. */
const LOOK = 1

if (isMainThread) {
  /** The looks that came late, and when garbage was collected meanwhile. */
  let late = []
  let collections = []
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) collections.push([startTime, startTime + duration])
  }).observe({ type: 'gc' })

  let before = performance.now()
  let busyBefore = onProcessor()
  const look = () => {
    const now = performance.now()
    const busy = onProcessor()
    if (now - before > 5 * LOOK) late.push({ begin: before, end: now, busy: busy - busyBefore })
    before = now
    busyBefore = busy
    setTimeout(look, LOOK)
  }
  look()

  process.on('message', () => {
    // What was observed of the last collections comes in a later turn.
    setTimeout(() => {
      const blocks = late.map(blockOf)
      process.send(blocks.reduce((most, one) => (one.held > most.held ? one : most), NONE))
      late = []
      collections = []
    }, 20)
  })
  process.channel.unref()

  /** What other processes took of it while the thread waited for a processor is not the service's. */
  const blockOf = ({ begin, end, busy }) => {
    const milliseconds = end - begin
    const within = ([from, to]) => Math.max(0, Math.min(to, end) - Math.max(from, begin))
    const garbage = collections.reduce((sum, collection) => sum + within(collection), 0)
    return { held: Math.min(milliseconds, busy + garbage), milliseconds, busy, garbage }
  }
}

const NONE = { held: 0, milliseconds: 0, busy: 0, garbage: 0 }

/** Milliseconds for which this thread was on a processor. */
function onProcessor() {
  return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6
}
