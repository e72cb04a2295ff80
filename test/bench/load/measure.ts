import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LiveLoad, LiveResult } from './live-load.js'
import type { Load, LoadResult } from './load.js'
import { hasWrk, putOnByWrk } from './wrk.js'

/** Of all replies: with fewer good ones it is no measurement. */
const GOOD_SHARE = 0.999

/** @throws Error when too many replies were not those that the load asked for */
export async function measure(load: Load): Promise<LoadResult> {
  const result = await putOn(load)
  const { good, bad } = result
  if (!(good / (good + bad) > GOOD_SHARE)) throw new Error(`${bad} of ${good + bad} replies were not good`)
  return result
}

/** Puts a load on a server from a third process. */
export async function putOn(load: Load): Promise<LoadResult> {
  return hasWrk ? putOnByWrk(load) : runLoad<LoadResult>('./load.ts', load)
}

/** @throws Error when the reply to an update was not 200 */
export async function measureLive(load: LiveLoad): Promise<LiveResult> {
  const result = await runLoad<LiveResult>('./live-load.ts', load)
  const { refused, answered } = result
  if (refused > 0) throw new Error(`${refused} of ${refused + answered} updates were refused`)
  return result
}

/** Runs a script with a load as JSON on stdin, where it may be longer than an argument. */
async function runLoad<T>(script: string, load: object): Promise<T> {
  const file = fileURLToPath(new URL(script, import.meta.url))
  const running = promisify(execFile)(process.execPath, ['--import', 'tsx', file])
  running.child.stdin?.end(JSON.stringify(load))
  return JSON.parse((await running).stdout) as T
}
