import type * as nodeFs from 'node:fs'

type Fs = typeof nodeFs

/** As many are kept: on a disk that is mended now and then more would be gathered than a start has to remove. */
const MOST = 10_000

/**
 * Files that are to go and could not be removed, as on a disk that has just turned read-only. A service that runs for months would
 * gather them, so they are tried again; those that a crash leaves are removed by the next start.
 */
export class Leftovers {
  private readonly paths = new Set<string>()

  /** Now, or when `removeAgain` succeeds. A path where nothing lies is done with. */
  remove(fs: Fs, path: string): void {
    if (!isRemoved(fs, path) && this.paths.size < MOST) this.paths.add(path)
  }

  /** Up to the first that still cannot be removed: nor could the others. */
  removeAgain(fs: Fs): void {
    for (const path of this.paths) {
      if (!isRemoved(fs, path)) return
      this.paths.delete(path)
    }
  }

  get isEmpty(): boolean {
    return this.paths.size === 0
  }
}

function isRemoved(fs: Fs, path: string): boolean {
  try {
    fs.unlinkSync(path)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}
