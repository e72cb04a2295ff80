import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LiveLoad, LiveResult } from './live-load.js'

/** @throws Error when an update was not answered with 200 */
export async function measureLive(load: LiveLoad): Promise<LiveResult> {
  const file = fileURLToPath(new URL('./live-load.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file, JSON.stringify(load)])
  const result = JSON.parse(stdout) as LiveResult
  if (result.refused > 0)
    throw new Error(`${result.refused} of ${result.refused + result.answered} updates were refused`)
  return result
}
