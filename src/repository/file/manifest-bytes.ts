import { encodeExperiment, encodeHeader, encodeStart, MANIFEST_END } from '../../domain/manifest-layout.ts'
import type { Campaign } from '../../domain/campaign.ts'

/** Experiments a block: a changed one re-copies a block of some 30 kB, and 10,000 make 157 of them. */
const BLOCK = 64
const LINE_BREAK = 0x0a
const END = encode(MANIFEST_END)

/** What became different from the bytes before: positions of changed and of new experiments, with their lines. */
export type ChangedLines = ReadonlyMap<number, string>

/**
 * The bytes of a manifest file, as an immutable value in blocks: a change copies the blocks that it touches and shares
 * the others. A slow reader of the bytes of one commit is not disturbed by the next, and nothing is encoded but what
 * changed.
 */
export class ManifestBytes {
  private constructor(
    private readonly header: Uint8Array,
    /** Each the lines of `BLOCK` experiments, with the line break before each. */
    private readonly blocks: readonly Uint8Array[],
  ) {}

  static of(campaign: Campaign): ManifestBytes {
    const blocks: Uint8Array[] = []
    let lines: string[] = []
    let position = 0
    for (const experiment of campaign.experiments) {
      lines.push(encodeExperiment(experiment, position))
      position += 1
      if (position % BLOCK === 0 || position === campaign.experiments.length) {
        blocks.push(concat([encode(lines.join(''))]))
        lines = []
      }
    }
    return new ManifestBytes(encode(encodeHeader(campaign.header)), blocks)
  }

  /**
   * The bytes of a file as they lie there, which spares encoding all of it.
   * @returns null when they are not laid out as ours: a header as we write it, then each experiment on its line
   */
  static read(file: Buffer, campaign: Campaign): ManifestBytes | null {
    const header = encode(encodeHeader(campaign.header))
    const end = file.length - END.length
    if (!equal(file.subarray(0, header.length), header) || !equal(file.subarray(end), END)) return null
    const body = file.subarray(header.length, end)
    const starts = lineStarts(body)
    if (starts.length !== campaign.experiments.length) return null
    let position = 0
    for (const { exp_id } of campaign.experiments) {
      const start = encodeStart(exp_id, position)
      const from = starts[position] ?? 0
      if (body.toString('latin1', from, from + start.length) !== start) return null
      position += 1
    }
    const blocks: Uint8Array[] = []
    for (let first = 0; first < starts.length; first += BLOCK) {
      blocks.push(concat([body.subarray(starts[first], starts[first + BLOCK] ?? body.length)]))
    }
    return new ManifestBytes(header, blocks)
  }

  /** In the order of the file. */
  get parts(): readonly Uint8Array[] {
    return [this.header, ...this.blocks, END]
  }

  /** The bytes after a commit. New positions follow the last one without a gap. */
  with(campaign: Campaign, changed: ChangedLines): ManifestBytes {
    const byBlock = new Map<number, Map<number, string>>()
    for (const [position, line] of changed) {
      const index = Math.floor(position / BLOCK)
      const lines = byBlock.get(index) ?? new Map<number, string>()
      byBlock.set(index, lines.set(position % BLOCK, line))
    }
    const blocks = [...this.blocks]
    for (const [index, lines] of [...byBlock].sort(([a], [b]) => a - b)) {
      blocks[index] = spliceBlock(blocks[index] ?? new Uint8Array(), lines)
    }
    return new ManifestBytes(encode(encodeHeader(campaign.header)), blocks)
  }
}

function spliceBlock(block: Uint8Array, lines: ReadonlyMap<number, string>): Uint8Array {
  const starts = lineStarts(block)
  const parts: Uint8Array[] = []
  let copied = 0
  for (const [index, line] of [...lines].sort(([a], [b]) => a - b)) {
    const start = starts[index] ?? block.length
    parts.push(block.subarray(copied, start), encode(line))
    copied = starts[index + 1] ?? block.length
  }
  parts.push(block.subarray(copied))
  return concat(parts)
}

/** Where each line begins: at its line break, or at the comma before it. */
function lineStarts(block: Uint8Array): number[] {
  const starts: number[] = []
  for (let at = block.indexOf(LINE_BREAK); at !== -1; at = block.indexOf(LINE_BREAK, at + 1)) {
    starts.push(at > 0 ? at - 1 : 0)
  }
  return starts
}

/** Into memory that the commit thread shares: to hand it a copy took 1 ms of each commit of 10,000 experiments. */
function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = shared(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function shared(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length))
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
