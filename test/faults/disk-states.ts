import { createHash } from 'node:crypto'
import { posix } from 'node:path'

/**
 * What a power cut may leave of a sequence of file operations. The model is stricter than any real file system: until
 * the flush of its directory every change of a name is on disk or not, whatever became of those before and after it;
 * until the flush of its file every write is lost, torn or there, whatever became of the name and of other writes.
 */

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
  /** Nothing on disk: a commit began, or its caller was told that it is done. */
  | { readonly kind: 'mark'; readonly mark: 'begun' | 'acknowledged'; readonly commit: number }

export interface DiskFile {
  /** Two names of one file have the same. */
  readonly file: string
  readonly bytes: Uint8Array
}

/** The files by path. */
export type Disk = ReadonlyMap<string, DiskFile>

export interface DiskState {
  readonly disk: Disk
  /** What became of each operation that was not flushed. */
  readonly fates: readonly string[]
}

/** When the power went: after that many operations, and after `partial` bytes of the write that comes next. */
export interface Cut {
  readonly after: number
  readonly partial: number
}

/** How finely writes are torn: at every multiple of it. A page, where nothing else is said. */
const PAGE = 4096

/** More names in doubt at once than the service ever has: the enumeration doubles with each. */
const MOST_ENTRIES = 16

/** Every moment that makes a difference: before the first operation, after each, and in the middle of each write. */
export function cutsOf(operations: readonly Operation[]): Cut[] {
  const middles = operations.map((operation) =>
    operation.kind === 'write' ? Math.floor(operation.bytes.length / 2) : 0,
  )
  return [...middles, 0].flatMap((partial, after) => [
    { after, partial: 0 },
    ...(partial > 0 ? [{ after, partial }] : []),
  ])
}

/**
 * Every state that the disk may be in when the power goes at the cut. One disk may come more than once, by several ways.
 *
 * @param initial what was durable before the first operation
 * @param grain writes are torn at every multiple of it, and beside that in the middle and one byte from either end
 */
export function* diskStates(
  initial: Disk,
  operations: readonly Operation[],
  cut: Cut,
  grain: number = PAGE,
): Generator<DiskState> {
  const durable = durableAt(initial, operations, cut)
  for (const entries of entryStates(durable)) {
    const reachable = new Set(entries.names.values())
    const doubtful = [...durable.writes].filter(([file]) => reachable.has(file))
    for (const data of dataStates(durable, doubtful, grain)) {
      const disk = [...entries.names].map(([path, file]): [string, DiskFile] => {
        return [path, { file, bytes: data.contents.get(file) ?? durable.contents.get(file) ?? new Uint8Array() }]
      })
      yield { disk: new Map(disk), fates: [...entries.fates, ...data.fates] }
    }
  }
}

/** What programs see after the operations while the power stays on. */
export function liveDisk(initial: Disk, operations: readonly Operation[]): Disk {
  const flushes = operations.flatMap((operation): Operation[] => {
    if (operation.kind === 'write') return [{ kind: 'flush-file', file: operation.file }]
    return 'path' in operation ? [{ kind: 'flush-directory', path: posix.dirname(operation.path) }] : []
  })
  const all = [...operations, ...flushes]
  for (const { disk } of diskStates(initial, all, { after: all.length, partial: 0 })) return disk
  return initial
}

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

/** What is on disk for sure, and what may be. */
interface Durable {
  readonly names: Map<string, string>
  readonly contents: Map<string, Uint8Array>
  entries: EntryOperation[]
  readonly writes: Map<string, WriteOperation[]>
}

function durableAt(initial: Disk, operations: readonly Operation[], cut: Cut): Durable {
  const durable: Durable = { names: new Map(), contents: new Map(), entries: [], writes: new Map() }
  for (const [path, { file, bytes }] of initial) {
    durable.names.set(path, file)
    durable.contents.set(file, bytes)
  }
  for (const operation of operations.slice(0, cut.after)) take(durable, operation)
  const next = operations[cut.after]
  if (cut.partial > 0 && next?.kind === 'write') take(durable, { ...next, bytes: next.bytes.subarray(0, cut.partial) })
  return durable
}

function take(durable: Durable, operation: Operation): void {
  switch (operation.kind) {
    case 'create':
    case 'link':
    case 'rename':
    case 'unlink':
      durable.entries.push(operation)
      return
    case 'write':
      durable.writes.set(operation.file, [...(durable.writes.get(operation.file) ?? []), operation])
      return
    case 'flush-file':
      durable.contents.set(
        operation.file,
        contentAfter(durable, operation.file, durable.writes.get(operation.file) ?? []),
      )
      durable.writes.delete(operation.file)
      return
    case 'flush-directory': {
      const covered = durable.entries.filter(({ path }) => posix.dirname(path) === operation.path)
      for (const entry of covered) apply(durable.names, entry)
      durable.entries = durable.entries.filter((entry) => !covered.includes(entry))
      return
    }
    case 'mark':
      return
  }
}

function apply(names: Map<string, string>, operation: EntryOperation): void {
  if (operation.kind === 'rename') names.delete(operation.from)
  if (operation.kind === 'unlink') names.delete(operation.path)
  else names.set(operation.path, operation.file)
}

interface EntryState {
  readonly names: ReadonlyMap<string, string>
  readonly fates: readonly string[]
}

/** Every subset of the changes of names, those that reached the disk in the order in which they were made. */
function* entryStates({ names, entries }: Durable): Generator<EntryState> {
  if (entries.length > MOST_ENTRIES)
    throw new Error(`${entries.length} names are in doubt at once, too many to try all`)
  for (let subset = 0; subset < 2 ** entries.length; subset += 1) {
    const state = new Map(names)
    const fates = entries.map((entry, index) => {
      const reached = (subset & (1 << index)) !== 0
      if (reached) apply(state, entry)
      return `${entry.kind} of ${posix.basename(entry.path)} ${reached ? 'there' : 'undone'}`
    })
    yield { names: state, fates }
  }
}

interface DataState {
  readonly contents: ReadonlyMap<string, Uint8Array>
  readonly fates: readonly string[]
}

function* dataStates(
  durable: Durable,
  doubtful: readonly (readonly [string, readonly WriteOperation[]])[],
  grain: number,
): Generator<DataState> {
  const [first, ...others] = doubtful
  if (first === undefined) {
    yield { contents: new Map(), fates: [] }
    return
  }
  const [file, writes] = first
  for (const fate of fatesOfAll(writes, grain)) {
    const content = contentAfter(durable, file, fate.writes)
    for (const rest of dataStates(durable, others, grain)) {
      yield { contents: new Map([...rest.contents, [file, content]]), fates: [...fate.fates, ...rest.fates] }
    }
  }
}

interface WritesFate {
  readonly writes: readonly WriteOperation[]
  readonly fates: readonly string[]
}

function* fatesOfAll(writes: readonly WriteOperation[], grain: number): Generator<WritesFate> {
  const [first, ...others] = writes
  if (first === undefined) {
    yield { writes: [], fates: [] }
    return
  }
  const label = `write of ${first.bytes.length} bytes at ${first.at} of ${first.file}`
  for (const [fate, bytes] of fatesOf(first, grain)) {
    for (const rest of fatesOfAll(others, grain)) {
      const there = bytes === null ? rest.writes : [{ ...first, bytes }, ...rest.writes]
      yield { writes: there, fates: [`${label} ${fate}`, ...rest.fates] }
    }
  }
}

/** What may have become of one write: how to say it, and the bytes that are there; null for none, not even zeroes. */
function fatesOf({ at, bytes }: WriteOperation, grain: number): [string, Uint8Array | null][] {
  const torn = tearsOf(at, bytes.length, grain).flatMap((length): [string, Uint8Array][] => [
    [`cut to ${length}`, bytes.subarray(0, length)],
    [`zeroed from ${length}`, zeroed(bytes, length, bytes.length)],
    [`zeroed up to ${length}`, zeroed(bytes, 0, length)],
  ])
  return [['lost', null], ['there', bytes], ['all zeroes', new Uint8Array(bytes.length)], ...torn]
}

/** Where a write may tear, as lengths of what comes before. */
function tearsOf(at: number, length: number, grain: number): number[] {
  const tears = new Set([1, Math.floor(length / 2), length - 1])
  for (let edge = (Math.floor(at / grain) + 1) * grain; edge < at + length; edge += grain) tears.add(edge - at)
  return [...tears].filter((tear) => tear > 0 && tear < length).sort((a, b) => a - b)
}

function zeroed(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return Uint8Array.from(bytes).fill(0, from, to)
}

/** The file with these of its writes; what was never written between them reads as zeroes. */
function contentAfter({ contents }: Durable, file: string, writes: readonly WriteOperation[]): Uint8Array {
  const before = contents.get(file) ?? new Uint8Array()
  const size = Math.max(before.length, ...writes.map(({ at, bytes }) => at + bytes.length))
  const content = new Uint8Array(size)
  content.set(before)
  for (const { at, bytes } of writes) content.set(bytes, at)
  return content
}
