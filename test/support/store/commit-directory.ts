import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { type LockIdentity, lockIdentity } from '#campaignd/repository/file/lock/lock-identity.js'
import { temporaryDirectory } from '../temporary-directory.js'

/** What the threads of a store are given to commit in: a directory for the files, the lock, and a directory for what is replaced. */
export interface CommitDirectory {
  readonly directory: string
  readonly lockPath: string
  readonly lock: LockIdentity
  readonly trash: string
  readonly flush: true
}

export function commitDirectory(): CommitDirectory {
  const root = temporaryDirectory()
  const [directory, lockPath, trash] = [join(root, 'files'), join(root, 'lock'), join(root, 'trash')]
  for (const path of [directory, lockPath, trash]) mkdirSync(path)
  const lock = lockIdentity(lockPath, true) ?? { inode: 0n, birthtimeNs: null }
  return { directory, lockPath, lock, trash, flush: true }
}

/** Another lock in the place of the one that is held. */
export function replaceLock({ lockPath }: Pick<CommitDirectory, 'lockPath'>): void {
  rmdirSync(lockPath)
  mkdirSync(lockPath)
}
