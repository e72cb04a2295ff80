import type * as nodeFs from 'node:fs'

type Fs = typeof nodeFs

/**
 * Files that are to go and could not be removed, as on a disk that has just turned read-only. A service that runs for months would
 * gather them, so they are tried again; those that a crash leaves are removed by the next start.
 */
export class Leftovers {
  private readonly paths = new Set<string>()

  /** Now, or when `removeAgain` succeeds. A path where nothing lies is done with. */
  remove(fs: Fs, path: string): void {
    this.paths.delete(path)
    try {
      fs.unlinkSync(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.paths.add(path)
    }
  }

  removeAgain(fs: Fs): void {
    for (const path of [...this.paths]) this.remove(fs, path)
  }

  get isEmpty(): boolean {
    return this.paths.size === 0
  }
}
