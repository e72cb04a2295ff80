import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Load, LoadResult } from '../load/load.js'
import { hasWrk, measureByWrk } from '../load/wrk.js'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const TSX = ['--import', 'tsx']

export interface Server {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

/** The service as it ships, with the settings that it has by itself. */
export function startCampaignd(dataDir: string): Promise<Server> {
  return start([pathOf('../../../dist/main.js'), '--port', '0', '--data-dir', dataDir])
}

/** A baseline of this folder. */
export function startBaseline(file: string, ...args: string[]): Promise<Server> {
  return start([...TSX, pathOf(file), ...args])
}

/** Puts a load on a server from a third process. */
export async function measure(load: Load): Promise<LoadResult> {
  if (hasWrk) return measureByWrk(load)
  const running = promisify(execFile)(process.execPath, [...TSX, pathOf('../load/load.ts')])
  running.child.stdin?.end(JSON.stringify(load))
  return JSON.parse((await running).stdout) as LoadResult
}

async function start(args: readonly string[]): Promise<Server> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const url = await new Promise<string>((resolve, reject) => {
    child.on('close', (code) => {
      reject(new Error(`${args.join(' ')} ended with ${code}`))
    })
    const lines = createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /http:\/\/[\d.]+:\d+/.exec(line)?.[0]
      if (found === undefined) return
      resolve(found)
      // To read a log line by line takes from the processors what is to be measured.
      lines.close()
      child.stdout.resume()
    })
  })
  return {
    url,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}
