import { spawnSync } from 'node:child_process'
import { closeSync, fstatSync, ftruncateSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import type { Service } from '../../support/service/service-process.js'

export const MOUNT = 'mount -t tmpfs -o size=64k,mode=700 tmpfs'
/** A remount fails while a file is open for writing: it is tried again between two commits. */
const REMOUNTS = 200

export class Filler {
  constructor(private readonly path: string) {}

  /** Takes all free space but so many blocks, or as near to it as others let it. */
  leave(blocks: number): void {
    const descriptor = openSync(this.path, 'a')
    try {
      const { bsize, bfree } = statfsSync(this.path)
      for (let block = bfree; block > blocks; block -= 1) writeSync(descriptor, Buffer.alloc(bsize))
      if (bfree < blocks) ftruncateSync(descriptor, fstatSync(descriptor).size - (blocks - bfree) * bsize)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      closeSync(descriptor)
    }
  }

  remove(): void {
    rmSync(this.path)
  }
}

/** Of a service that runs in a mount namespace of its own. */
export function remount({ pid, dataDir }: Service, how: 'ro' | 'rw'): void {
  const enter = ['-t', String(pid), '-U', '-m', '--preserve-credentials']
  for (let tries = 1; ; tries += 1) {
    const { status, stderr } = spawnSync('nsenter', [...enter, 'mount', '-o', `remount,${how}`, dataDir])
    if (status === 0) return
    if (tries === REMOUNTS) throw new Error(`the disk cannot be made ${how}: ${stderr.toString().trim()}`)
  }
}
