import * as nodeFs from 'node:fs'
import { mkdtempSync, rmdirSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * The lock directory that we made, and no other at its path. The inode alone does not: ext4 gives the number of a removed
 * directory to the next one made. The time of birth does; null where the system has none.
 */
export interface LockIdentity {
  readonly inode: bigint
  readonly birthtimeNs: bigint | null
}

/** Null when there is no such directory. */
export function lockIdentity(path: string, hasBirthTimes: boolean): LockIdentity | null {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? null : lockIdentityOf(stat, hasBirthTimes)
}

export function lockIdentityOf({ ino, birthtimeNs }: nodeFs.BigIntStats, hasBirthTimes: boolean): LockIdentity {
  return { inode: ino, birthtimeNs: hasBirthTimes ? birthtimeNs : null }
}

export function isSameIdentity(a: LockIdentity, b: LockIdentity): boolean {
  return a.inode === b.inode && a.birthtimeNs === b.birthtimeNs
}

/** True when the directory at the path is the one with the identity. One stat call. */
export function isLock(path: string, identity: LockIdentity, fs: typeof nodeFs = nodeFs): boolean {
  try {
    return isLockStat(fs.statSync(path, { bigint: true }), identity)
  } catch {
    return false
  }
}

/** The same for what was found at the path. */
export function isLockStat(stat: nodeFs.BigIntStats, identity: LockIdentity): boolean {
  return isSameIdentity(lockIdentityOf(stat, identity.birthtimeNs !== null), identity)
}

/** Without statx, libuv reports the time of the last change as that of birth: it moves when the directory is touched. */
export async function hasBirthTimes(directory: string): Promise<boolean> {
  const probe = mkdtempSync(join(directory, 'probe-'))
  try {
    const before = statSync(probe, { bigint: true }).birthtimeNs
    // Longer than the kernel's clock tick, within which the two times would be the same.
    await sleep(20)
    utimesSync(probe, new Date(), new Date())
    return statSync(probe, { bigint: true }).birthtimeNs === before
  } finally {
    rmdirSync(probe)
  }
}
