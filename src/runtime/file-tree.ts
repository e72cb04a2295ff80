import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

/** The files below a directory by their paths with `/`, read at once: what then happens to the directory changes nothing. */
export function readFileTree(directory: string): ReadonlyMap<string, Buffer> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name)
      return [relative(directory, path).split(sep).join('/'), readFileSync(path)]
    }),
  )
}
