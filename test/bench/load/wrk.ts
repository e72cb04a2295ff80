import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { send } from '../../support/http/client.js'
import { inDirectory } from '../table.js'
import { firstId, headersOf, ID, KEY, type Load, type LoadResult } from './load.js'

/** With wrk where it is installed: on few processors autocannon would measure itself. */
export const hasWrk = spawnSync('wrk', ['--version'], { stdio: 'ignore' }).error === undefined

/** How often a service that is late is asked again. */
const CHECKS = 25

/** Puts the load on by wrk, in one thread, with a script in Lua. */
export async function putOnByWrk(load: Load): Promise<LoadResult> {
  const { connections, seconds, url } = load
  const options = `-t 1 -c ${connections} -d ${Math.ceil(seconds)}s --timeout 10s --latency`.split(' ')
  await checkReply(load)
  const stdout = await inDirectory((directory) => {
    const script = join(directory, 'load.lua')
    writeFileSync(script, scriptOf(load))
    return runWrk([...options, '--script', script, url], seconds)
  })
  await checkReply(load)
  return resultOf(stdout)
}

/** Interrupts it within a second, which ends a measurement well: by itself it knows whole seconds only. */
async function runWrk(args: readonly string[], seconds: number): Promise<string> {
  const running = promisify(execFile)('wrk', args)
  if (Number.isInteger(seconds)) return (await running).stdout
  const timer = setTimeout(() => running.child.kill('SIGINT'), seconds * 1000)
  try {
    return (await running).stdout
  } finally {
    clearTimeout(timer)
  }
}

function scriptOf(load: Load): string {
  const { method, paths, perPath = 1, keys = [''], body = '' } = load
  const [before = '', after] = body.split(ID)
  const [start = '', rest = ''] = before.split(KEY)
  return `
local paths, keys = ${tableOf(paths)}, ${tableOf(keys)}
local headers = { ${Object.entries(headersOf(load))
    .map(([name, value]) => `[${quoted(name)}] = ${quoted(value)}`)
    .join(', ')} }
local first, count, known = ${firstId()}, 0, {}

function request()
  local path = paths[math.floor(count / ${perPath}) % #paths + 1]
  local key = keys[count % #keys + 1]
  count = count + 1
  ${
    after === undefined
      ? `known[path] = known[path] or wrk.format(${quoted(method)}, path, headers, ${quoted(before)})
  return known[path]`
      : `local body = ${quoted(start)} .. key .. ${quoted(rest)} .. string.format("%016.0f", first + count) .. ${quoted(after)}
  return wrk.format(${quoted(method)}, path, headers, body)`
  }
end

function done(summary, latency)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  print(string.format('{"microseconds":%d,"replies":%d,"bytes":%d,"refused":%d,"lost":%d,"p99":%d}',
    summary.duration, summary.requests, summary.bytes, errors.status, lost, latency:percentile(99)))
end
`
}

/** What wrk does not count as refused is 2xx or 3xx; more detail would take the processors from what is measured. */
function resultOf(stdout: string): LoadResult {
  const line = /^\{.*\}$/m.exec(stdout)?.[0]
  if (line === undefined) throw new Error(`wrk did not measure: ${stdout}`)
  type Summary = Record<'microseconds' | 'replies' | 'bytes' | 'refused' | 'lost' | 'p99', number>
  const { microseconds, replies, bytes, refused, lost, p99 } = JSON.parse(line) as Summary
  const seconds = microseconds / 1e6
  const good = replies - refused
  return { rate: good / seconds, bytes: bytes / seconds, p99: p99 / 1000, good, bad: refused + lost }
}

/**
 * Checks beside the load whether replies are 304: wrk counts both as good. A service that is still late after the load may refuse
 * that; what it refused under the load was counted by wrk.
 */
async function checkReply(load: Load): Promise<void> {
  if (load.method !== 'GET') return
  const expected = load.known === undefined ? 200 : 304
  for (let tries = 1; ; tries += 1) {
    const { status } = await send('GET', `${load.url}${load.paths[0] ?? '/'}`, undefined, headersOf(load))
    if (status === expected) return
    if (status !== 503 || tries === CHECKS) throw new Error(`replied ${status} instead of ${expected}`)
    await sleep(200)
  }
}

function tableOf(texts: readonly string[]): string {
  return `{ ${texts.map(quoted).join(', ')} }`
}

/** As a string of Lua. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`
}
