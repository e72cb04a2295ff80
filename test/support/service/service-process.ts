import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))

export interface ServiceOptions {
  readonly dataDir: string
  readonly environment?: Readonly<Record<string, string>>
  /** The compiled product, when it is another. */
  readonly main?: string
  /** Program and arguments to put before node, such as strace. */
  readonly wrapper?: readonly string[]
  /** A module to load before it, with which a channel is open. */
  readonly probe?: string
}

/** The service as it ships, in a process of its own. */
export interface Service {
  readonly url: string
  readonly dataDir: string
  readonly pid: number
  /** The lines of its log so far, parsed. */
  readonly log: readonly Record<string, unknown>[]
  /** Sends the signal and waits for the end; resolves with the exit code, null when a signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** Resolves with the exit code once it has ended by itself. */
  readonly ended: Promise<number | null>
}

/** Waits until a spawned service listens. */
export async function listening(child: ServiceProcess, dataDir: string): Promise<Service> {
  const log: Record<string, unknown>[] = []
  const address = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line) as Record<string, unknown>
      log.push(entry)
      const url = /listens on (http:\/\/\S+),/.exec(String(entry['msg']))?.[1]
      if (url !== undefined) resolve(url)
    })
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const url = await Promise.race([
    address,
    ended.then((code) => {
      throw new Error(`the service ended with ${code} before it listened: ${JSON.stringify(log.at(-1))}`)
    }),
  ])
  return {
    ...{ url, dataDir, log, ended, pid: child.pid ?? 0 },
    end: (signal) => {
      child.kill(signal)
      return ended
    },
  }
}

export type ServiceProcess = ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream }

export function spawnService(options: ServiceOptions): ServiceProcess {
  const { dataDir, environment = {}, wrapper = [], main = MAIN, probe } = options
  const before = probe === undefined ? [] : ['--import', probe]
  const [program, ...args] = [...wrapper, process.execPath, ...before, main]
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe', ...(probe === undefined ? [] : (['ipc'] as const))],
    env: {
      PATH: process.env['PATH'],
      CAMPAIGND_PORT: '0',
      CAMPAIGND_DATA_DIR: dataDir,
      // Other tests slow it down: the refusal of reads then has a test of its own.
      CAMPAIGND_MAX_LAG: '0',
      ...environment,
    },
  }) as ServiceProcess
  child.stderr.on('data', (chunk: Buffer) => process.stderr.write(chunk))
  return child
}
