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

/** True when the directory at the path is the one with the identity. One stat call. */
export function isLock(path: string, identity: LockIdentity, fs: typeof nodeFs = nodeFs): boolean {
  return statOf(path, identity, fs) !== null
}

/** Milliseconds since the directory with the identity was refreshed; infinite when it is not at the path. */
export function lockAge(path: string, identity: LockIdentity): number {
  const stat = statOf(path, identity, nodeFs)
  // Where times are kept in whole seconds, a refresh rounds them up.
  return stat === null ? Infinity : Math.max(0, Date.now() - Number(stat.mtimeMs))
}

function statOf(path: string, identity: LockIdentity, fs: typeof nodeFs): nodeFs.BigIntStats | null {
  try {
    const stat = fs.statSync(path, { bigint: true })
    const isSameBirth = identity.birthtimeNs === null || stat.birthtimeNs === identity.birthtimeNs
    return stat.ino === identity.inode && isSameBirth ? stat : null
  } catch {
    return null
  }
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
