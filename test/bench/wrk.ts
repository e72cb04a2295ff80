import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { firstId, ID, type Load, type LoadResult } from './load.js'

/** True when wrk is there to make the load: on few processors, autocannon measures itself. */
export const hasWrk = spawnSync('wrk', ['--version'], { stdio: 'ignore' }).error === undefined

/** Puts the load on by wrk, in one thread, which a script in Lua tells what to send. */
export async function measureByWrk(load: Load): Promise<LoadResult> {
  const directory = mkdtempSync(join(tmpdir(), 'campaignd-wrk-'))
  try {
    const script = join(directory, 'load.lua')
    writeFileSync(script, scriptOf(load))
    const { connections, seconds, url } = load
    const args = [
      '--threads',
      '1',
      '--connections',
      String(connections),
      '--duration',
      `${seconds}s`,
      '--timeout',
      '10s',
    ]
    const { stdout } = await promisify(execFile)('wrk', [...args, '--latency', '--script', script, url])
    return resultOf(stdout)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function scriptOf({ method, paths, perPath = 1, body = '' }: Load): string {
  const [before = '', after] = body.split(ID)
  return `
local paths = { ${paths.map(quoted).join(', ')} }
local headers = { ["content-type"] = ${body === '' ? 'nil' : quoted('application/json')} }
local first, count, known = ${firstId()}, 0, {}

function request()
  local path = paths[math.floor(count / ${perPath}) % #paths + 1]
  count = count + 1
  ${
    after === undefined
      ? `known[path] = known[path] or wrk.format(${quoted(method)}, path, headers, ${quoted(before)})
  return known[path]`
      : `local body = ${quoted(before)} .. string.format("%016.0f", first + count) .. ${quoted(after)}
  return wrk.format(${quoted(method)}, path, headers, body)`
  }
end

function done(summary, latency)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  print(string.format('{"microseconds":%d,"answers":%d,"refused":%d,"lost":%d,"p99":%d}',
    summary.duration, summary.requests, errors.status, lost, latency:percentile(99)))
end
`
}

/** None of what is measured answers 1xx or 3xx: what wrk does not count as refused is 2xx. */
function resultOf(stdout: string): LoadResult {
  const line = /^\{.*\}$/m.exec(stdout)?.[0]
  if (line === undefined) throw new Error(`wrk did not measure: ${stdout}`)
  const { microseconds, answers, refused, lost, p99 } = JSON.parse(line) as {
    microseconds: number
    answers: number
    refused: number
    lost: number
    p99: number
  }
  const good = answers - refused
  return { rate: good / (microseconds / 1e6), p99: p99 / 1000, good, bad: refused + lost }
}

/** As a string of Lua. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`
}
