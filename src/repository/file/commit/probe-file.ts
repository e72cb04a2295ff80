import type * as nodeFs from 'node:fs'
import { flushTemp, writeTemp } from './temp-file.ts'

/** A block of the disk: what is smaller some file systems keep elsewhere. */
const PROBE = [Buffer.alloc(4096)]

/**
 * Writes a temporary file as a commit does, and removes it again.
 * @throws the system's error for which a commit would fail as well; then what there is of the file is the caller's to remove
 */
export function probeDisk(fs: typeof nodeFs, temp: string, flush: boolean): void {
  flushTemp(fs, writeTemp(fs, temp, PROBE, false), flush)
  fs.unlinkSync(temp)
}
