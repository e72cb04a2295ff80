import * as nodeFs from 'node:fs'
import { mkdtempSync, rmdirSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What tells the lock directory that we made from any other at its path. The inode alone does not: ext4 gives the
 * number of a removed directory to the next one made. The time of birth does; null where the system has none to tell.
 */
export interface LockIdentity {
  readonly inode: bigint
  readonly birthtimeNs: bigint | null
}

/** Null when there is no such directory. */
export function lockIdentity(path: string, hasBirthTimes: boolean): LockIdentity | null {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? null : { inode: stat.ino, birthtimeNs: hasBirthTimes ? stat.birthtimeNs : null }
}

/** True when the directory at the path is the one known by the identity. One stat call. */
export function isLock(path: string, identity: LockIdentity, fs: typeof nodeFs = nodeFs): boolean {
  try {
    return isKnown(fs.statSync(path, { bigint: true }), identity)
  } catch {
    return false
  }
}

/** Milliseconds since the directory known by the identity was refreshed; infinite when it is not at the path. */
export function lockAge(path: string, identity: LockIdentity): number {
  try {
    const stat = statSync(path, { bigint: true })
    // Where times are kept in whole seconds, a refresh rounds them up.
    return isKnown(stat, identity) ? Math.max(0, Date.now() - Number(stat.mtimeMs)) : Infinity
  } catch {
    return Infinity
  }
}

function isKnown({ ino, birthtimeNs }: nodeFs.BigIntStats, identity: LockIdentity): boolean {
  return ino === identity.inode && (identity.birthtimeNs === null || birthtimeNs === identity.birthtimeNs)
}

/** Where statx is not to be had, libuv tells the time of the last change for that of birth: it moves when touched. */
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
