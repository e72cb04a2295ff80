import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** The entry of the build that this benchmark belongs to. */
export const MAIN = pathOf('../../../dist/main.js')

/** What a process holds of the memory when its garbage is collected. */
export interface Held {
  /** Bytes. */
  readonly heap: number
  /** Bytes of buffers, which are not on the heap. */
  readonly buffers: number
}

export interface Server {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

interface Running extends Server {
  readonly child: ReturnType<typeof spawn>
}

/** A build of the service as it ships, with the settings that it has by itself. */
export function startCampaignd(dataDir: string, main = MAIN): Promise<Server> {
  return start(serviceArguments(dataDir, main))
}

/** A baseline of this folder. */
export function startBaseline(file: string, ...args: string[]): Promise<Server> {
  return start(['--import', 'tsx', pathOf(file), ...args])
}

/** What a build holds when it has started on a data directory: asked of a module that is loaded before it, so of any build. */
export async function heldAfterStart(dataDir: string, main = MAIN): Promise<Held> {
  const probe = ['--expose-gc', '--import', pathOf('./memory-probe.mjs')]
  const { child, stop } = await start([...probe, ...serviceArguments(dataDir, main)], true)
  try {
    const told = once(child, 'message')
    child.send('collect')
    const [held] = (await told) as [Held]
    return held
  } finally {
    await stop()
  }
}

function serviceArguments(dataDir: string, main: string): string[] {
  return [main, '--port', '0', '--data-dir', dataDir]
}

async function start(args: readonly string[], hasChannel = false): Promise<Running> {
  const channel = hasChannel ? (['ipc'] as const) : []
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', ...channel] })
  const ended = once(child, 'close')
  const url = await new Promise<string>((resolve, reject) => {
    const { stdout } = child
    if (stdout === null) throw new Error('the process has no output')
    child.on('close', (code) => {
      reject(new Error(`${args.join(' ')} ended with ${code}`))
    })
    const lines = createInterface({ input: stdout }).on('line', (line) => {
      const found = /http:\/\/[\d.]+:\d+/.exec(line)?.[0]
      if (found === undefined) return
      resolve(found)
      // To read a log line by line takes from the processors what is to be measured.
      lines.close()
      stdout.resume()
    })
  })
  return {
    url,
    pid: child.pid ?? 0,
    child,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}
