import { setTimeout as sleep } from 'node:timers/promises'
import { openFileStore } from '#campaignd/repository/file/open-file-store.js'

/** What the campaigns of a data directory hold of the memory. Its argument is the directory; prints a `Held`. */

export interface Held {
  /** Bytes. */
  readonly heap: number
  /** Bytes of buffers, which are not on the heap. */
  readonly buffers: number
}

const fail = (reason: unknown) => {
  throw reason
}

const before = await inUse()
const repository = await openFileStore({
  dataDir: process.argv[2] ?? '',
  durability: 'os',
  onWait: fail,
  onNotice: fail,
  onCorrupt: fail,
  onFatal: fail,
  onCommit: () => undefined,
})
const after = await inUse()
await repository.close()
process.stdout.write(
  JSON.stringify({ heap: after.heap - before.heap, buffers: after.buffers - before.buffers } satisfies Held),
)

async function inUse(): Promise<Held> {
  if (globalThis.gc === undefined) throw new Error('started without --expose-gc')
  // What is released when a turn ends is collected only by the next collection.
  for (let collection = 0; collection < 3; collection += 1) {
    globalThis.gc()
    await sleep(20)
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { heap: heapUsed, buffers: arrayBuffers }
}
