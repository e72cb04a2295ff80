import { flushTemp, type TempDirectory, writeTemp } from './temp-file.ts'

/** A block of the disk: what is smaller some file systems keep elsewhere. */
const PROBE = [Buffer.alloc(4096)]

/**
 * Writes a temporary file as a commit does, and removes it again.
 * @throws the system's error for which a commit would fail as well
 */
export function probeDisk(directory: TempDirectory, temp: string, flush: boolean): void {
  const { fs, leftovers } = directory
  flushTemp(directory, temp, writeTemp(directory, temp, PROBE, false), flush)
  try {
    fs.unlinkSync(temp)
  } catch (error) {
    leftovers.remove(fs, temp)
    throw error
  }
}
