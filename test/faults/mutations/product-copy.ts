import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Outcome } from '../fault.js'

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const COPIED = ['package.json', 'tsconfig.json', '.config', 'dist', 'openapi', 'test']
/** Milliseconds after which a run is ended: longer than that of all rows that it is asked for. */
const TIME_LIMIT = 90_000

export interface Line {
  readonly kind: Outcome['kind']
  readonly message: string
}

export interface TableRun {
  readonly code: number | null
  readonly lines: ReadonlyMap<string, Line>
  readonly output: string
}

/**
 * Runs rows in their short form, as `npm run test:faults` does, on a copy of the compiled product and of the proof.
 * @param change what a file of the source, below src, is compiled to in the copy
 */
export async function runOnCopy(
  rows: readonly string[],
  change?: { file: string; compiled: string },
): Promise<TableRun> {
  const root = mkdtempSync(join(tmpdir(), 'campaignd-copy-'))
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(root, name), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
    if (change !== undefined) writeFileSync(compiledPath(root, change.file), change.compiled)
    return await run(root, rows)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function run(root: string, rows: readonly string[]): Promise<TableRun> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/faults/main.ts', 'short', ...rows], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TSX_TSCONFIG_PATH: 'test/tsconfig.run.json' },
    // A group of its own, so that everything it started can be ended with it.
    detached: true,
  })
  const timeLimit = setTimeout(() => endGroup(child), TIME_LIMIT)
  try {
    const closed = once(child, 'close') as Promise<[number | null]>
    const [table, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed])
    return { code, lines: linesOf(table), output: table + errors }
  } finally {
    clearTimeout(timeLimit)
    endGroup(child)
  }
}

/** Where the build puts what it makes of a file below src. */
export function compiledPath(root: string, file: string): string {
  return join(root, 'dist', file.replace(/\.ts$/, '.js'))
}

function linesOf(table: string): Map<string, Line> {
  const lines = table.matchAll(/^\| (.+?) \| .+? \| \*\*(passed|failed|skipped)\*\*: (.*) \| \d+ \|$/gm)
  return new Map([...lines].map(([, row = '', kind, message = '']) => [row, { kind: kind as Line['kind'], message }]))
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
