import { createHash } from 'node:crypto'
import type { Disk } from './durable.js'

/** The same for disks that cannot be told apart: same names, same bytes, and same names of one file. */
export function diskKey(disk: Disk, nameOf: (path: string) => string = (path) => path): string {
  const entries = [...disk].map(([path, file]) => ({ name: nameOf(path), ...file }))
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  const first = new Map<string, number>()
  const hash = createHash('sha256')
  for (const [index, { name, file, bytes }] of entries.entries()) {
    if (!first.has(file)) first.set(file, index)
    hash.update(JSON.stringify([name, first.get(file), bytes.length])).update(bytes)
  }
  return hash.digest('hex')
}
