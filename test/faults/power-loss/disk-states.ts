/**
 * What a power cut may leave of a sequence of file operations, more strictly than any real file system: until the flush of
 * its directory every change of a name is on disk or not, until the flush of its file every write is lost, torn or there,
 * all independent of each other. A rename between directories is whole; see README.md, "Decisions".
 */

import { posix } from 'node:path'
import {
  apply,
  contentAfter,
  type Cut,
  type Disk,
  type DiskFile,
  type Durable,
  durableAt,
  type EntryOperation,
  flushedWith,
  isBetweenDirectories,
  type Operation,
  type WriteOperation,
} from './durable.js'

export interface DiskState {
  readonly disk: Disk
  /** What became of each operation that was not flushed. */
  readonly fates: readonly string[]
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
 * Every state that the disk may be in at the cut; the same one may come more than once.
 * @param grain writes are torn at every multiple of it, in the middle and one byte from either end
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
    const isEntry = 'path' in operation && operation.kind !== 'flush-directory'
    return isEntry ? [{ kind: 'flush-directory', path: flushedWith(operation) }] : []
  })
  const all = [...operations, ...flushes]
  for (const { disk } of diskStates(initial, all, { after: all.length, partial: 0 })) return disk
  return initial
}

interface EntryState {
  readonly names: ReadonlyMap<string, string>
  readonly fates: readonly string[]
}

/** Every subset of the doubtful changes of names, those that reached the disk in the order in which they were made. */
function* entryStates({ names, entries }: Durable): Generator<EntryState> {
  const doubtful = entries.filter(({ flushed }) => !flushed)
  if (doubtful.length > MOST_ENTRIES)
    throw new Error(`${doubtful.length} names are in doubt at once, too many to try all`)
  for (let subset = 0; subset < 2 ** doubtful.length; subset += 1) {
    const state = new Map(names)
    const reached = new Set(doubtful.filter((_, index) => (subset & (1 << index)) !== 0))
    for (const entry of entries) if (entry.flushed || reached.has(entry)) apply(state, entry.operation)
    const fates = doubtful.map((entry) => `${labelOf(entry.operation)} ${reached.has(entry) ? 'there' : 'undone'}`)
    yield { names: state, fates }
  }
}

function labelOf(operation: EntryOperation): string {
  if (isBetweenDirectories(operation)) return `rename of ${operation.from} to ${operation.path}`
  return `${operation.kind} of ${posix.basename(operation.path)}`
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
