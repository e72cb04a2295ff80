import type * as nodeFs from 'node:fs'

/** Of a file as it is: another one at the same path, or the same after a change from outside, has another. */
export interface FileIdentity {
  readonly inode: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
}

/** Null when there is no file, or no regular one. */
export function identityOf(fs: typeof nodeFs, path: string): FileIdentity | null {
  const stat = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (!stat?.isFile()) return null
  return { inode: stat.ino, size: stat.size, mtimeNs: stat.mtimeNs }
}

export function isSame(a: FileIdentity | null, b: FileIdentity | null): boolean {
  return a?.inode === b?.inode && a?.size === b?.size && a?.mtimeNs === b?.mtimeNs
}
