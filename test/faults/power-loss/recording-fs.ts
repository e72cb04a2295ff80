import * as nodeFs from 'node:fs'
import { join, posix, relative } from 'node:path'
import type { DataDirectory } from '#campaignd/repository/file/data-directory.js'
import type { Disk, DiskFile, Operation } from './durable.js'

/** Which flushes are neither made nor recorded: how a store that forgets them would run. */
export type ForgottenFlushes = 'files' | 'directories' | 'none'

export interface RecordingOptions {
  readonly forgotten?: ForgottenFlushes
  /** The first write of each file takes half of the bytes only, as the system may at any time. */
  readonly shortWrites?: boolean
  /** Called after each recorded operation, with how many there are. */
  readonly onOperation?: (count: number) => void
}

type Opened =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly file: string; position: number }

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = nodeFs.constants
const TO_FLUSH = O_RDONLY | O_NOFOLLOW | O_NONBLOCK

/** Carries out what durable-file.ts asks for and records what a power cut may undo. Any other function fails: it would be unseen. */
export class RecordingFs {
  readonly operations: Operation[] = []
  /** What lay in the directories before, taken for durable, as are the directories. */
  readonly initial: Disk
  private readonly files = new Map<bigint, string>()
  private readonly descriptors = new Map<number, Opened>()
  private lastFile = 0

  constructor(
    /** What is recorded says `campaigns/...` and `trash/...`, wherever these are. */
    private readonly directories: Pick<DataDirectory, 'campaigns' | 'trash'>,
    private readonly options: RecordingOptions = {},
  ) {
    const paths = [directories.campaigns, directories.trash].flatMap((directory) => {
      const names = nodeFs.readdirSync(directory).sort()
      return names.map((name) => join(directory, name))
    })
    this.initial = new Map(paths.map((path) => this.read(path)))
  }

  get fs(): typeof nodeFs {
    const { constants, statSync, lstatSync, fstatSync } = nodeFs
    return {
      ...{ constants, statSync, lstatSync, fstatSync },
      openSync: (path: string, flags: string | number, mode?: number) => this.open(path, flags, mode),
      ftruncateSync: (descriptor: number, length: number) => this.empty(descriptor, length),
      writevSync: (descriptor: number, parts: readonly Uint8Array[]) => this.write(descriptor, parts),
      fsyncSync: (descriptor: number) => this.flush(descriptor),
      closeSync: (descriptor: number) => this.close(descriptor),
      linkSync: (from: string, to: string) => this.link(from, to),
      renameSync: (from: string, to: string) => this.rename(from, to),
      unlinkSync: (path: string) => this.unlink(path),
    } as unknown as typeof nodeFs
  }

  /** Notes where in the sequence a commit began, or was acknowledged. */
  mark(mark: 'begun' | 'acknowledged', commit: number): void {
    this.record({ kind: 'mark', mark, commit })
  }

  private open(path: string, flags: string | number, mode?: number): number {
    const descriptor = nodeFs.openSync(path, flags, mode)
    if (flags === 'wx') {
      const file = this.newFile(nodeFs.fstatSync(descriptor, { bigint: true }).ino)
      this.descriptors.set(descriptor, { kind: 'file', file, position: 0 })
      this.record({ kind: 'create', path: this.nameOf(path), file })
    } else if (flags === 'r' && nodeFs.fstatSync(descriptor).isDirectory()) {
      this.descriptors.set(descriptor, { kind: 'directory', path: this.nameOf(path) })
    } else if (flags === TO_FLUSH && nodeFs.fstatSync(descriptor).isFile()) {
      this.descriptors.set(descriptor, { kind: 'file', file: this.fileAt(path), position: 0 })
    } else {
      nodeFs.closeSync(descriptor)
      throw new Error(`what opening ${path} with ${flags} may do to the disk is not known here`)
    }
    return descriptor
  }

  private write(descriptor: number, parts: readonly Uint8Array[]): number {
    const opened = this.opened(descriptor)
    if (opened.kind !== 'file') throw new Error('a directory cannot be written')
    const whole = Buffer.concat(parts)
    const half = this.options.shortWrites === true && opened.position === 0
    const written = nodeFs.writevSync(descriptor, half ? [whole.subarray(0, Math.ceil(whole.length / 2))] : parts)
    const at = opened.position
    opened.position += written
    this.record({ kind: 'write', file: opened.file, at, bytes: Uint8Array.from(whole.subarray(0, written)) })
    return written
  }

  /** Of an empty file it leaves nothing that a power cut may undo. */
  private empty(descriptor: number, length: number): void {
    if (length !== 0 || nodeFs.fstatSync(descriptor).size !== 0) throw new Error('only an empty file may be emptied')
    nodeFs.ftruncateSync(descriptor, 0)
  }

  private flush(descriptor: number): void {
    const opened = this.opened(descriptor)
    const { forgotten = 'none' } = this.options
    if (forgotten === (opened.kind === 'file' ? 'files' : 'directories')) return
    nodeFs.fsyncSync(descriptor)
    if (opened.kind === 'file') this.record({ kind: 'flush-file', file: opened.file })
    else this.record({ kind: 'flush-directory', path: opened.path })
  }

  private close(descriptor: number): void {
    nodeFs.closeSync(descriptor)
    this.descriptors.delete(descriptor)
  }

  private link(from: string, to: string): void {
    const file = this.fileAt(from)
    nodeFs.linkSync(from, to)
    this.record({ kind: 'link', path: this.nameOf(to), file })
  }

  private rename(from: string, to: string): void {
    const file = this.fileAt(from)
    nodeFs.renameSync(from, to)
    this.record({ kind: 'rename', from: this.nameOf(from), path: this.nameOf(to), file })
  }

  private unlink(path: string): void {
    nodeFs.unlinkSync(path)
    this.record({ kind: 'unlink', path: this.nameOf(path) })
  }

  private record(operation: Operation): void {
    this.operations.push(operation)
    this.options.onOperation?.(this.operations.length)
  }

  private opened(descriptor: number): Opened {
    const opened = this.descriptors.get(descriptor)
    if (opened === undefined) throw new Error(`descriptor ${descriptor} was not opened here`)
    return opened
  }

  /** A new file is another one, even where it got the inode of one that is gone. */
  private newFile(inode: bigint): string {
    this.lastFile += 1
    const file = `file ${this.lastFile}`
    this.files.set(inode, file)
    return file
  }

  private fileAt(path: string): string {
    const { ino } = nodeFs.lstatSync(path, { bigint: true })
    return this.files.get(ino) ?? this.newFile(ino)
  }

  private read(path: string): [string, DiskFile] {
    return [this.nameOf(path), { file: this.fileAt(path), bytes: Uint8Array.from(nodeFs.readFileSync(path)) }]
  }

  private nameOf(path: string): string {
    for (const name of ['campaigns', 'trash'] as const) {
      const below = relative(this.directories[name], path)
      if (!below.startsWith('..')) return posix.join(name, below)
    }
    throw new Error(`${path} is in no directory that is known here`)
  }
}
