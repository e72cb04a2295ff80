import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('./hold-lock.mjs', import.meta.url))

export type LockNews =
  | { readonly event: 'starts' }
  | { readonly event: 'waits'; readonly holder: string; readonly seconds: number }
  | { readonly event: 'owns' }
  | { readonly event: 'failed'; readonly message: string }
  | { readonly event: 'lost'; readonly reason: string }

/** A process that takes the lock of a directory. Whoever starts it ends it. */
export interface LockProcess {
  readonly child: ChildProcess
  readonly pid: number
  readonly news: readonly LockNews[]
  /** Resolves with the first news of the kind; rejects when the process ends without. */
  hears<E extends LockNews['event']>(event: E): Promise<Extract<LockNews, { event: E }>>
  /** Sends a line to its stdin. */
  say(line: string): void
  kill(signal: NodeJS.Signals): Promise<void>
  readonly ended: Promise<void>
}

/**
 * @param mode `lock`: take the lock only; `open`: open the whole store
 * @param begin `gated`: not before it is sent a line
 */
export function spawnLockProcess(
  directory: string,
  mode: 'lock' | 'open' = 'lock',
  begin: 'at-once' | 'gated' = 'at-once',
): LockProcess {
  const child = spawn(process.execPath, [SCRIPT, directory, mode, begin], { stdio: ['pipe', 'pipe', 'inherit'] })
  const news: LockNews[] = []
  const hearers = new Set<() => void>()
  const wake = () => {
    for (const look of [...hearers]) look()
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    news.push(JSON.parse(line) as LockNews)
    wake()
  })
  let over = false
  const ended = once(child, 'close').then(() => {
    over = true
    wake()
  })
  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await ended
  }
  return {
    child,
    pid: child.pid ?? 0,
    news,
    hears: <E extends LockNews['event']>(event: E) =>
      new Promise<Extract<LockNews, { event: E }>>((resolve, reject) => {
        const look = () => {
          const found = news.find((one): one is Extract<LockNews, { event: E }> => one.event === event)
          if (found === undefined && !over) return
          hearers.delete(look)
          if (found !== undefined) resolve(found)
          else reject(new Error(`it ended without ${event}: ${JSON.stringify(news)}`))
        }
        hearers.add(look)
        look()
      }),
    say: (line) => {
      child.stdin.write(`${line}\n`)
    },
    kill,
    ended,
  }
}
