import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url))

/** pino's number for `error`. */
const ERROR = 50

export interface DemoService {
  readonly url: string
  /** Resolves when it has ended. */
  readonly ended: Promise<unknown>
  stop(): Promise<unknown>
}

/**
 * Starts the service in a process of its own, on any free port. Of its log only errors are passed on.
 * @throws Error when it ends before it listens
 */
export async function startService(dataDir: string): Promise<DemoService> {
  // None of the settings in the environment: they are meant for another service.
  const child = spawn(process.execPath, [MAIN, '--host', '127.0.0.1', '--port', '0', '--data-dir', dataDir], {
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { level, url } = JSON.parse(line) as { level: number; url?: string }
      if (level >= ERROR) process.stderr.write(`${line}\n`)
      if (url !== undefined) resolve(url)
    })
    void ended.then(() => reject(new Error('the service ended before it listened')))
  })
  return {
    url,
    ended,
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}
