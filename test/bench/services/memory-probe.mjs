import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'

/**
 * Loaded before a build of the service, started with `--expose-gc` and a channel: returns on request how much memory the
 * process holds. Plain JavaScript, so that the build runs as it ships.
 */
if (isMainThread) {
  process.on('message', async () => {
    // What is released when a turn of the event loop ends is collected only by the next collection.
    for (let collection = 0; collection < 3; collection += 1) {
      globalThis.gc()
      await sleep(20)
    }
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    process.send({ heap: heapUsed, buffers: arrayBuffers })
  })
  process.channel.unref()
}
