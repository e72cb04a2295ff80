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
    for (const files of product(doubtful.map(([file, writes]) => fileStates(durable, file, writes, grain)))) {
      const disk = [...entries.names].map(([path, file]): [string, DiskFile] => {
        const written = files.find((one) => one.file === file)?.bytes ?? durable.contents.get(file)
        return [path, { file, bytes: written ?? new Uint8Array() }]
      })
      yield { disk: new Map(disk), fates: [...entries.fates, ...files.flatMap(({ fates }) => fates)] }
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

/** Every subset of the doubtful changes of names, those that reached the disk in the order in which they were made. */
function* entryStates({ names, entries }: Durable): Generator<{ names: Map<string, string>; fates: string[] }> {
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

/** What one file may hold, after one of the fates of each of its doubtful writes. */
function fileStates(durable: Durable, file: string, writes: readonly WriteOperation[], grain: number): FileState[] {
  return product(writes.map((write) => fatesOf(write, grain))).map((fates) => {
    const there = fates.flatMap((fate) => fate.there ?? [])
    return { file, bytes: contentAfter(durable, file, there), fates: fates.map(({ words }) => words) }
  })
}

interface FileState extends DiskFile {
  readonly fates: readonly string[]
}

/** Every way to take one of each list. */
function product<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((taken, list) => taken.flatMap((some) => list.map((one) => [...some, one])), [[]])
}

interface WriteFate {
  readonly words: string
  /** Null for none of it, not even zeroes. */
  readonly there: WriteOperation | null
}

/** What may have become of one write. */
function fatesOf(write: WriteOperation, grain: number): WriteFate[] {
  const { at, bytes, file } = write
  const fate = (what: string, left: Uint8Array | null): WriteFate => ({
    words: `write of ${bytes.length} bytes at ${at} of ${file} ${what}`,
    there: left === null ? null : { ...write, bytes: left },
  })
  const torn = tearsOf(at, bytes.length, grain).flatMap((length) => [
    fate(`cut to ${length}`, bytes.subarray(0, length)),
    fate(`zeroed from ${length}`, zeroed(bytes, length, bytes.length)),
    fate(`zeroed up to ${length}`, zeroed(bytes, 0, length)),
  ])
  return [fate('lost', null), fate('there', bytes), fate('all zeroes', new Uint8Array(bytes.length)), ...torn]
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
