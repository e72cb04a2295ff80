import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Load, LoadResult } from './load.js'
import { hasWrk, measureByWrk } from './wrk.js'

/** Puts a load on a server from a third process. */
export async function measure(load: Load): Promise<LoadResult> {
  if (hasWrk) return measureByWrk(load)
  const file = fileURLToPath(new URL('./load.ts', import.meta.url))
  const running = promisify(execFile)(process.execPath, ['--import', 'tsx', file])
  running.child.stdin?.end(JSON.stringify(load))
  return JSON.parse((await running).stdout) as LoadResult
}
