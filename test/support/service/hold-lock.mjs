// Acquires the lock of a data directory and prints what happens, a JSON line each: node hold-lock.mjs <directory> [lock|open] [gated]
// With `open` it opens the whole store, with `gated` not before the first line on stdin. Then on stdin: `release`,
// `abandon` (and exit), `block <ms>`; `step <ms>`, also while it waits, sets its wall clock forward or back.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { lockDirectory } from '#campaignd/repository/file/lock/directory-lock.js'

const [, , directory, mode, begin] = process.argv
const lines = createInterface({ input: process.stdin })
const print = (event, more = {}) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`)
const onWait = (holder, seconds) => print('waits', { holder, seconds })
const onLost = (reason) => print('lost', { reason: reason.message })
const ignore = () => undefined

async function acquire() {
  if (mode !== 'open') return lockDirectory(directory, { onWait, onLost })
  const { openFileStore } = await import('#campaignd/repository/file/open-file-store.js')
  const options = {
    dataDir: directory,
    durability: 'fsync',
    now: () => new Date().toISOString(),
    monotonic: () => performance.now(),
    onNotice: ignore,
    onCorrupt: ignore,
    onCommit: ignore,
    onWait,
    onFatal: onLost,
  }
  const store = await openFileStore(options)
  return { release: () => store.close(), abandon: ignore }
}

const { now } = Date
lines.on('line', async (line) => {
  const [command, milliseconds] = line.split(' ')
  if (command === 'step') Date.now = () => now() + Number(milliseconds)
  if (command === 'block') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(milliseconds))
  if (command === 'release') await lock.release()
  if (command === 'abandon') lock.abandon()
  if (command === 'release' || command === 'abandon') process.exit(0)
})

print('starts')
if (begin === 'gated') await once(lines, 'line')
let lock
try {
  lock = await acquire()
} catch (error) {
  print('failed', { message: error.message })
  process.exit(1)
}
print('owns')
