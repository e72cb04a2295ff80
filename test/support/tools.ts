import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * Whether a program of the system can be used here; prints why the tests that need it are skipped otherwise.
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

/**
 * Runs the service under strace, for `wrapper` of `startService`. The tracer is the grandchild, so that signals reach
 * the service itself.
 */
export function strace(output: string, ...options: readonly string[]): string[] {
  return ['strace', '-D', '-f', '-y', '-s', '256', '-o', output, ...options]
}

export interface SystemCall {
  readonly name: string
  /** Arguments and result as strace prints them. */
  readonly text: string
  /** Places in the order of all that happened: of its begin and of its end. */
  readonly begin: number
  readonly end: number
}

/** The calls in a trace, with the halves put together of those that others came in between of. */
export function readTrace(path: string): SystemCall[] {
  const calls: SystemCall[] = []
  const open = new Map<string, { readonly name: string; readonly text: string; readonly begin: number }>()
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
    if (text.endsWith('<unfinished ...>'))
      open.set(thread, { name, text: text.slice(0, -'<unfinished ...>'.length), begin: at })
    else calls.push({ name, text, begin: at, end: at })
  }
  return calls
}
