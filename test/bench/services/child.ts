import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** The entry of the build that this benchmark belongs to. */
export const MAIN = pathOf('../../../dist/main.js')

/** Bytes of memory after garbage was collected. */
export interface Held {
  readonly heap: number
  /** Of buffers, which are not on the heap. */
  readonly buffers: number
}

/** A started process; its disposal stops it. */
export interface Server extends AsyncDisposable {
  readonly url: string
  readonly pid: number
}

/** A build of the service as it ships, with its default settings. */
export async function startCampaignd(dataDir: string, main = MAIN): Promise<Server> {
  return (await start(serviceArguments(dataDir, main))).server
}

/** A baseline of this folder. */
export async function startBaseline(file: string, ...args: string[]): Promise<Server> {
  return (await start(['--import', 'tsx', pathOf(file), ...args])).server
}

/** What any build holds after its start on a data directory: a module that is loaded before it measures that. */
export async function heldAfterStart(dataDir: string, main = MAIN): Promise<Held> {
  const probe = ['--expose-gc', '--import', pathOf('./memory-probe.mjs')]
  const { child, server } = await start([...probe, ...serviceArguments(dataDir, main)], true)
  await using _ = server
  const reply = once(child, 'message')
  child.send('collect')
  const [held] = (await reply) as [Held]
  return held
}

/** A process as a server: stopped by SIGTERM. */
export function serverOf(child: ChildProcess, url: string): Server {
  const ended = once(child, 'close')
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
  }
  return { url, pid: child.pid ?? 0, [Symbol.asyncDispose]: stop }
}

function serviceArguments(dataDir: string, main: string): string[] {
  return [main, '--port', '0', '--data-dir', dataDir]
}

async function start(args: readonly string[], hasChannel = false) {
  const channel = hasChannel ? (['ipc'] as const) : []
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', ...channel] })
  const { stdout } = child
  if (stdout === null) throw new Error('the process has no output')
  const url = await new Promise<string>((resolve, reject) => {
    child.on('close', (code) => {
      reject(new Error(`${args.join(' ')} ended with ${code}`))
    })
    const lines = createInterface({ input: stdout }).on('line', (line) => {
      const found = /http:\/\/[\d.]+:\d+/.exec(line)?.[0]
      if (found === undefined) return
      resolve(found)
      // Reading the log line by line would take the processors from what is measured.
      lines.close()
      stdout.resume()
    })
  })
  return { child, server: serverOf(child, url) }
}
