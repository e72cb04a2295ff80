import { createHash } from 'node:crypto'
import { posix } from 'node:path'

/** What changes a name. `file` is the identity of the file, which keeps while its names change. */
export type EntryOperation =
  | { readonly kind: 'create' | 'link'; readonly path: string; readonly file: string }
  | { readonly kind: 'rename'; readonly from: string; readonly path: string; readonly file: string }
  | { readonly kind: 'unlink'; readonly path: string }

export interface WriteOperation {
  readonly kind: 'write'
  readonly file: string
  readonly at: number
  readonly bytes: Uint8Array
}

export type Operation =
  | EntryOperation
  | WriteOperation
  | { readonly kind: 'flush-file'; readonly file: string }
  | { readonly kind: 'flush-directory'; readonly path: string }
  | { readonly kind: 'mark'; readonly mark: 'begun' | 'acknowledged'; readonly commit: number }

export interface DiskFile {
  /** Two names of one file have the same. */
  readonly file: string
  readonly bytes: Uint8Array
}

export type Disk = ReadonlyMap<string, DiskFile>

/** When the power went: after that many operations, and after `partial` bytes of the write that comes next. */
export interface Cut {
  readonly after: number
  readonly partial: number
}

/** What is on disk for sure, and what may be. */
export interface Durable {
  readonly names: Map<string, string>
  readonly contents: Map<string, Uint8Array>
  /** In the order in which they were made, from the first that is not flushed. */
  entries: Entry[]
  readonly writes: Map<string, WriteOperation[]>
}

interface Entry {
  readonly operation: EntryOperation
  readonly flushed: boolean
}

export function durableAt(initial: Disk, operations: readonly Operation[], cut: Cut): Durable {
  const durable: Durable = { names: new Map(), contents: new Map(), entries: [], writes: new Map() }
  for (const [path, { file, bytes }] of initial) {
    durable.names.set(path, file)
    durable.contents.set(file, bytes)
  }
  for (const operation of operations.slice(0, cut.after)) carryOut(durable, operation)
  const next = operations[cut.after]
  if (cut.partial > 0 && next?.kind === 'write')
    carryOut(durable, { ...next, bytes: next.bytes.subarray(0, cut.partial) })
  return durable
}

function carryOut(durable: Durable, operation: Operation): void {
  switch (operation.kind) {
    case 'create':
    case 'link':
    case 'rename':
    case 'unlink':
      durable.entries.push({ operation, flushed: false })
      return
    case 'write':
      durable.writes.set(operation.file, [...(durable.writes.get(operation.file) ?? []), operation])
      return
    case 'flush-file': {
      const { file } = operation
      durable.contents.set(file, contentAfter(durable, file, durable.writes.get(file) ?? []))
      durable.writes.delete(file)
      return
    }
    case 'flush-directory': {
      const entries = durable.entries.map((entry) => {
        return flushedWith(entry.operation) === operation.path ? { ...entry, flushed: true } : entry
      })
      const doubtful = entries.findIndex(({ flushed }) => !flushed)
      const end = doubtful === -1 ? entries.length : doubtful
      for (const entry of entries.slice(0, end)) apply(durable.names, entry.operation)
      durable.entries = entries.slice(end)
      return
    }
    case 'mark':
      return
  }
}

/** The directory whose flush makes it durable. */
export function flushedWith(operation: EntryOperation): string {
  return posix.dirname(operation.kind === 'rename' ? operation.from : operation.path)
}

export function isBetweenDirectories(operation: EntryOperation): operation is EntryOperation & { kind: 'rename' } {
  return operation.kind === 'rename' && posix.dirname(operation.from) !== posix.dirname(operation.path)
}

export function apply(names: Map<string, string>, operation: EntryOperation): void {
  if (isBetweenDirectories(operation) && names.get(operation.from) !== operation.file) return
  if (operation.kind === 'rename') names.delete(operation.from)
  if (operation.kind === 'unlink') names.delete(operation.path)
  else names.set(operation.path, operation.file)
}

/** The file with these of its writes; what was never written between them reads as zeroes. */
export function contentAfter({ contents }: Durable, file: string, writes: readonly WriteOperation[]): Uint8Array {
  const before = contents.get(file) ?? new Uint8Array()
  const size = Math.max(before.length, ...writes.map(({ at, bytes }) => at + bytes.length))
  const content = new Uint8Array(size)
  content.set(before)
  for (const { at, bytes } of writes) content.set(bytes, at)
  return content
}

/** The same for disks that cannot be distinguished: same names, same bytes, and same names of one file. */
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
