import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * True when a program of the system can be used; else prints why the tests that need it are skipped.
 * @param probe a command that succeeds where it can
 */
export function isUsable(what: string, probe: readonly string[]): boolean {
  const [program = '', ...args] = probe
  const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status === 0) return true
  console.warn(`skipped: ${what} cannot be used here: ${error?.message ?? stderr.trim()}`)
  return false
}

/** True where processes may be traced. */
export function canTrace(): boolean {
  return isUsable('strace', ['strace', '-D', '-f', '-o', '/dev/null', '-e', 'inject=fsync:error=EIO', 'true'])
}

export function whyNotTrace(): string | null {
  return canTrace() ? null : 'strace cannot be used here'
}

/** Runs the service under strace, for `wrapper` of `startService`. The tracer is the grandchild: signals reach the service itself. */
export function strace(output: string, ...options: readonly string[]): string[] {
  return ['strace', '-D', '-f', '-y', '-s', '256', '-o', output, ...options]
}

/** The tracer of a process; null when it has none. */
export function tracerOf(pid: number): number | null {
  const tracer = Number(/^TracerPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  return tracer === 0 ? null : tracer
}

export interface SystemCall {
  readonly name: string
  /** The thread that made it. */
  readonly id: number
  /** Arguments and result as strace prints them. */
  readonly text: string
  /** The lines of the trace where it begins and ends. */
  readonly begin: number
  readonly end: number
}

/** The calls in a trace, in the order of their ends; strace splits a call in two when another comes in between. */
export function readTrace(path: string): SystemCall[] {
  const calls: SystemCall[] = []
  const open = new Map<string, Omit<SystemCall, 'end'>>()
  for (const [at, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    const [, resumed, ending = ''] = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest) ?? []
    if (resumed !== undefined) {
      const begun = open.get(thread)
      if (begun !== undefined) calls.push({ ...begun, text: begun.text + ending, end: at })
      open.delete(thread)
      continue
    }
    const [, name, text = ''] = /^(\w+)\((.*)$/.exec(rest) ?? []
    if (name === undefined) continue
    const call = { name, id: Number(thread), text: text.replace(/<unfinished \.\.\.>$/, ''), begin: at }
    if (call.text === text) calls.push({ ...call, end: at })
    else open.set(thread, call)
  }
  return calls
}

/** A tracer of running threads. */
export interface Tracer {
  /** The trace so far. */
  output(): string
  detach(): Promise<void>
}

/**
 * Attaches strace to a thread of a process, or with `-f` among the options to all of them. `when=` counts calls from then on.
 * @param keep is called with the tracer's process, to end it in every case
 * @throws Error with the message of strace when it cannot, as where only a parent may trace
 */
export async function attach(
  thread: number,
  output: string,
  options: readonly string[],
  keep: (child: ChildProcess) => unknown,
): Promise<Tracer> {
  const child = spawn('strace', ['-y', '-o', output, ...options, '-p', String(thread)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  keep(child)
  let message = ''
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', (error) => {
      message += error.message
      resolve()
    })
  })
  const attached = new Promise<boolean>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      message += chunk.toString()
      if (message.includes(' attached')) resolve(true)
    })
  })
  if (!(await Promise.race([attached, ended.then(() => message.includes(' attached'))]))) {
    throw new Error(`strace cannot be attached: ${message.trim()}`)
  }
  return {
    output: () => readFileSync(output, 'utf8'),
    detach: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}

/** Why strace cannot be attached to a process that runs already, null when it can. */
export async function whyNotAttach(): Promise<string | null> {
  const sleeper = spawn(process.execPath, ['-e', 'setTimeout(() => undefined, 20000)'], { stdio: 'ignore' })
  try {
    const options = ['-e', 'trace=fsync', '-e', 'inject=fsync:error=EIO:when=1']
    const tracer = await attach(sleeper.pid ?? 0, '/dev/null', options, () => undefined)
    await tracer.detach()
    return null
  } catch (error) {
    return (error as Error).message
  } finally {
    sleeper.kill('SIGKILL')
  }
}
