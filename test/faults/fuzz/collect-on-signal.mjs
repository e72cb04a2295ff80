import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread } from 'node:worker_threads'

/** Loaded before the service: SIGWINCH, unused otherwise, collects all garbage, often enough that the pages are freed too. */
const TIMES = 4

if (isMainThread) {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  process.on('SIGWINCH', () => {
    for (let time = 0; time < TIMES; time += 1) collect()
  })
}
