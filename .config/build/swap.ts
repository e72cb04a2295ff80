import { readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Other builds may swap at the same moment: each attempt lost means that one of them has won. */
const ATTEMPTS = 20

/**
 * Puts a finished build in the place of dist. Two renames, so that dist is never half of each: what starts in between
 * finds no dist, and what runs has read all that it needs. The old build goes last.
 */
export function swapIn(root: string, next: string): void {
  const dist = join(root, 'dist')
  const old = join(root, `dist.old-${process.pid}`)
  for (let attempt = 1; ; attempt += 1) {
    moveAway(dist, old)
    try {
      renameSync(next, dist)
      break
    } catch (error) {
      if (!isTaken(error) || attempt === ATTEMPTS) throw error
    }
  }
  rmSync(old, { recursive: true, force: true })
}

/** Removes what builds left that were killed. */
export function removeLeftovers(root: string): void {
  for (const name of readdirSync(root)) {
    const pid = /^dist\.(?:next|old)-(\d+)$/.exec(name)?.[1]
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(root, name), { recursive: true, force: true })
  }
}

function moveAway(dist: string, old: string): void {
  rmSync(old, { recursive: true, force: true })
  try {
    renameSync(dist, old)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function isTaken(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
