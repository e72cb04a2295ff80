import * as nodeFs from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { MANIFEST_END } from '../../../domain/formats/manifest-json.ts'
import { LineBlock } from './line-block.ts'
import { BLOCK, ManifestBytes } from './manifest-bytes.ts'

/** A manifest in our layout: read a few lines at a time, so that its size has no limit but the memory. */
export interface ManifestLines {
  /** As JSON gives it, unchecked. */
  readonly value: { readonly experiments: readonly unknown[] }
  readonly encoded: ManifestBytes
  /** Bytes of the line of each experiment, as a campaign counts them. */
  readonly sizes: number[]
}

/** Bytes that are read in one go. */
const PIECE = 256 * 1024

/** Bytes of a line above which it is none of ours. */
const MAX_LINE = 16 * 1024 * 1024

/** Milliseconds after which others get their turn: the lock has to be refreshed, and while the service runs there are callers. */
const TURN = 8

const HEADER_END = Buffer.from('\n  "experiments": [')
const END = Buffer.from(MANIFEST_END)
const [COMMA, LINE_BREAK] = [0x2c, 0x0a]

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads a file whose layout is ours: a header as we write it, then each experiment on its line.
 * @param descriptor of the file, at its begin
 * @param until once it aborts, it is read no further
 * @returns null when it is anything else, also when it is no JSON at all
 * @throws the reason of `until`
 */
export async function readManifestLines(descriptor: number, until: AbortSignal): Promise<ManifestLines | null> {
  const reader = new LineReader()
  let turn = performance.now()
  for (;;) {
    const piece = Buffer.allocUnsafe(PIECE)
    const length = nodeFs.readSync(descriptor, piece, 0, PIECE, null)
    if (length === 0) return reader.end()
    if (!reader.add(piece.subarray(0, length))) return null
    if (performance.now() - turn < TURN) continue
    await nextTurn()
    until.throwIfAborted()
    turn = performance.now()
  }
}

class LineReader {
  private header: Buffer | null = null
  /** What is read of a line that is not whole yet: the first begins with its line break, the others with the comma before that. */
  private rest: Buffer = Buffer.alloc(0)
  private block: Uint8Array[] = []
  private readonly blocks: LineBlock[] = []
  private readonly values: unknown[] = []
  private readonly sizes: number[] = []

  /** @returns false when the layout is not ours */
  add(piece: Buffer): boolean {
    this.rest = this.rest.length === 0 ? piece : Buffer.concat([this.rest, piece])
    if (this.header === null) this.takeHeader(this.rest.length - piece.length)
    return (this.header === null || this.takeLines()) && this.rest.length <= MAX_LINE
  }

  /** @returns null when the layout is not ours */
  end(): ManifestLines | null {
    const { header, values, sizes, blocks, rest } = this
    const end = rest.length - END.length
    if (header === null || end < 0 || !rest.subarray(end).equals(END)) return null
    const isOver = (end === 0 && values.length === 0) || this.takeLine(rest.subarray(0, end))
    const value = parse(Buffer.concat([header, Buffer.from(']}')]))
    if (!isOver || value === undefined) return null
    if (this.block.length > 0) this.endBlock()
    return { value: { ...value, experiments: values }, encoded: ManifestBytes.read(header, blocks), sizes }
  }

  /** @param searched how much of what is there does not have its end */
  private takeHeader(searched: number): void {
    const at = this.rest.indexOf(HEADER_END, Math.max(0, searched - HEADER_END.length))
    if (at === -1) return
    const end = at + HEADER_END.length
    this.header = this.rest.subarray(0, end)
    this.rest = this.rest.subarray(end)
  }

  /** Takes the lines that are whole. @returns false when one is not as we write it */
  private takeLines(): boolean {
    for (;;) {
      const at = this.rest.indexOf(LINE_BREAK, 2)
      if (at === -1) return true
      // After the last line comes the end of the file.
      if (this.rest[at - 1] !== COMMA) return this.rest.length - at <= END.length
      if (!this.takeLine(this.rest.subarray(0, at - 1))) return false
      this.rest = this.rest.subarray(at - 1)
    }
  }

  /** @returns false when it is not the JSON of one object */
  private takeLine(line: Buffer): boolean {
    const comma = this.values.length === 0 ? 0 : 1
    const value = parse(line.subarray(comma))
    if (value === undefined) return false
    this.values.push(value)
    // A campaign counts a comma for each, also for the first.
    this.sizes.push(line.length + 1 - comma)
    this.block.push(line)
    if (this.block.length === BLOCK) this.endBlock()
    return true
  }

  private endBlock(): void {
    this.blocks.push(LineBlock.join(this.block))
    this.block = []
  }
}

/** The object that the bytes are the JSON of; undefined when they are anything else. */
function parse(bytes: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
