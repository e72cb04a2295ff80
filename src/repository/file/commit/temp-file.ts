import type * as nodeFs from 'node:fs'
import type { FileIdentity } from './file-identity.ts'
import type { Leftovers } from './leftovers.ts'

type Fs = typeof nodeFs

export interface TempDirectory {
  readonly fs: Fs
  readonly leftovers: Leftovers
}

/**
 * @param startEarly whether the system is to begin at once to write it to the disk, for files that are flushed one after the other:
 *   ext4 does so when a file is closed that was truncated while it was open, and allocates their blocks together
 * @returns its descriptor, with all the bytes written and nothing flushed
 * @throws the system's error; then the file is closed, and removed if it was made
 */
export function writeTemp(
  { fs, leftovers }: TempDirectory,
  path: string,
  parts: readonly Uint8Array[],
  startEarly: boolean,
): number {
  let descriptor: number | null = null
  try {
    descriptor = fs.openSync(path, 'wx', 0o600)
    if (startEarly) fs.ftruncateSync(descriptor, 0)
    writeAll(fs, descriptor, parts)
    if (!startEarly) return descriptor
    // Opened before the other is closed, so that its flush reports what goes wrong from then on.
    const toFlush = openToRead(fs, path)
    const written = descriptor
    descriptor = toFlush
    fs.closeSync(written)
    return toFlush
  } catch (error) {
    closeQuietly(fs, descriptor)
    // Of what was never made a read-only disk says that it cannot be removed: those would be gathered without end.
    if (descriptor !== null) leftovers.remove(fs, path)
    throw error
  }
}

/** Flushes what was written, and closes it. @throws as `writeTemp` */
export function flushTemp(
  { fs, leftovers }: TempDirectory,
  path: string,
  descriptor: number,
  flush: boolean,
): FileIdentity {
  let open: number | null = descriptor
  try {
    // mutation: no-flush-before-rename
    if (flush) fs.fsyncSync(descriptor)
    const { ino, size, mtimeNs } = fs.fstatSync(descriptor, { bigint: true })
    open = null
    fs.closeSync(descriptor)
    return { inode: ino, size, mtimeNs }
  } catch (error) {
    closeQuietly(fs, open)
    leftovers.remove(fs, path)
    throw error
  }
}

/** Follows no link, and waits for nobody: what lies there may be a link or a pipe that somebody put there. */
export function openToRead(fs: Fs, path: string): number {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants
  return fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
}

export function closeQuietly(fs: Fs, descriptor: number | null): void {
  try {
    if (descriptor !== null) fs.closeSync(descriptor)
  } catch {
    // The system has released it all the same.
  }
}

/** A short write is no error to the system: on a nearly full disk it is the only sign. */
function writeAll(fs: Fs, descriptor: number, parts: readonly Uint8Array[]): void {
  let waiting = parts.filter((part) => part.length > 0)
  while (waiting.length > 0) {
    // mutation: short-write-taken-as-whole
    let written = fs.writevSync(descriptor, waiting.slice(0, 1024))
    if (written === 0) throw Object.assign(new Error('EIO: nothing more can be written'), { code: 'EIO' })
    while (written > 0 && waiting[0] !== undefined && written >= waiting[0].length) {
      written -= waiting[0].length
      waiting = waiting.slice(1)
    }
    if (written > 0 && waiting[0] !== undefined) waiting = [waiting[0].subarray(written), ...waiting.slice(1)]
  }
}
