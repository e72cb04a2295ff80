/**
 * The lines of a few experiments, each with the line break before it, as immutable bytes with the start of each. In memory that is
 * shared with the commit threads, since copies would block the event loop.
 */
export class LineBlock {
  private constructor(
    readonly bytes: Uint8Array,
    /** Where each line begins, then the end of the last. */
    private readonly starts: Uint32Array,
  ) {}

  static of(lines: readonly string[]): LineBlock {
    return new LineBlock(new Uint8Array(), Uint32Array.of(0)).with(new Map(lines.entries()))
  }

  /** Copies lines that are encoded already. */
  static join(lines: readonly Uint8Array[]): LineBlock {
    const starts = new Uint32Array(lines.length + 1)
    for (const [index, { length }] of lines.entries()) starts[index + 1] = (starts[index] ?? 0) + length
    const bytes = shared(starts.at(-1) ?? 0)
    for (const [index, line] of lines.entries()) bytes.set(line, starts[index])
    return new LineBlock(new Uint8Array(bytes.buffer), starts)
  }

  get size(): number {
    return this.starts.length - 1
  }

  /** With these lines in place of those at their indexes; new ones follow the last without a gap. */
  with(changed: ReadonlyMap<number, string>): LineBlock {
    const indexes = [...changed.keys()].sort((a, b) => a - b)
    const starts = this.startsWith(changed, Math.max(this.size, (indexes.at(-1) ?? 0) + 1))
    const bytes = shared(starts.at(-1) ?? 0)
    let copied = 0
    for (const index of indexes) {
      this.copy(bytes, { from: copied, to: index, at: starts[copied] })
      bytes.write(changed.get(index) ?? '', starts[index] ?? 0)
      copied = index + 1
    }
    this.copy(bytes, { from: copied, to: this.size, at: starts[copied] })
    return new LineBlock(new Uint8Array(bytes.buffer), starts)
  }

  /** @param without how many of its first bytes to leave out */
  line(index: number, without = 0): Uint8Array {
    return this.bytes.subarray((this.starts[index] ?? 0) + without, this.starts[index + 1])
  }

  private startsWith(changed: ReadonlyMap<number, string>, size: number): Uint32Array {
    const starts = new Uint32Array(size + 1)
    for (let index = 0; index < size; index += 1) {
      const line = changed.get(index)
      const length = line === undefined ? this.lengthOf(index) : Buffer.byteLength(line)
      starts[index + 1] = (starts[index] ?? 0) + length
    }
    return starts
  }

  lengthOf(index: number): number {
    return (this.starts[index + 1] ?? 0) - (this.starts[index] ?? 0)
  }

  /** Copies a run of lines in one go. */
  private copy(target: Buffer, { from, to, at }: { from: number; to: number; at: number | undefined }): void {
    if (from < to && from < this.size) target.set(this.bytes.subarray(this.starts[from], this.starts[to]), at)
  }
}

function shared(length: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(length))
}
