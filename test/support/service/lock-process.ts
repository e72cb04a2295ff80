import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('./hold-lock.mjs', import.meta.url))

export type LockMessage =
  | { readonly event: 'starts' }
  | { readonly event: 'waits'; readonly holder: string; readonly seconds: number }
  | { readonly event: 'owns' }
  | { readonly event: 'failed'; readonly message: string }
  | { readonly event: 'lost'; readonly reason: string }

/** A loss of the lock, or a failure other than that of waiting for its holder to the end. */
export function isBad(message: LockMessage): boolean {
  return message.event === 'lost' || (message.event === 'failed' && !message.message.includes('is in use by'))
}

/** A process that acquires the lock of a directory. The test that starts it ends it. */
export interface LockProcess {
  readonly child: ChildProcess
  readonly pid: number
  readonly messages: readonly LockMessage[]
  /** Resolves with the first message of the kind; rejects when the process ends without. */
  receive<E extends LockMessage['event']>(event: E): Promise<Extract<LockMessage, { event: E }>>
  /** Writes a line to its stdin. */
  send(line: string): void
  kill(signal: NodeJS.Signals): Promise<void>
  readonly ended: Promise<void>
}

/**
 * @param mode `lock`: acquire the lock only; `open`: open the whole store
 * @param begin `gated`: not before it is sent a line
 * @param wrapper program and arguments to put before node
 */
export function spawnLockProcess(
  directory: string,
  mode: 'lock' | 'open' = 'lock',
  begin: 'at-once' | 'gated' = 'at-once',
  wrapper: readonly string[] = [],
): LockProcess {
  const [program, ...args] = [...wrapper, process.execPath, SCRIPT, directory, mode, begin]
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const messages: LockMessage[] = []
  const changes = new EventEmitter()
  let hasEnded = false
  createInterface({ input: child.stdout }).on('line', (line) => {
    messages.push(JSON.parse(line) as LockMessage)
    changes.emit('change')
  })
  const ended = once(child, 'close').then(() => {
    hasEnded = true
    changes.emit('change')
  })
  return {
    ...{ child, messages, ended, pid: child.pid ?? 0 },
    receive: async <E extends LockMessage['event']>(event: E) => {
      for (;;) {
        const found = messages.find((one): one is Extract<LockMessage, { event: E }> => one.event === event)
        if (found !== undefined) return found
        if (hasEnded) throw new Error(`it ended without ${event}: ${JSON.stringify(messages)}`)
        await once(changes, 'change')
      }
    },
    send: (line) => {
      child.stdin.write(`${line}\n`)
    },
    kill: async (signal) => {
      child.kill(signal)
      await ended
    },
  }
}
