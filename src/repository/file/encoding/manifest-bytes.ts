import type { Campaign } from '../../../domain/campaign/campaign.ts'
import {
  encodeExperiment,
  encodeHeader,
  encodeStart,
  experimentLine,
  MANIFEST_END,
} from '../../../domain/formats/manifest-json.ts'
import type { EncodedManifest } from '../../campaign-store.ts'
import { LineBlock, lineStarts } from './line-block.ts'

/** Experiments in a block. */
const BLOCK = 64
const COMMA = ','
const [FIRST_START, OTHER_START] = [experimentLine('', 0).length, experimentLine('', 1).length]
const END = encode(MANIFEST_END)

/** The JSON of changed and of new experiments, by position. */
export type ChangedLines = ReadonlyMap<number, string>

/**
 * The bytes of a manifest file, as an immutable value in blocks: a change copies the blocks that it touches and shares the others,
 * so a slow reader of one commit is not disturbed by the next, and only what changed is encoded.
 */
export class ManifestBytes implements EncodedManifest {
  private joined: WeakRef<Buffer> | null = null

  private constructor(
    private readonly header: Uint8Array,
    /** `BLOCK` experiments each, the last one fewer. */
    private readonly blocks: readonly LineBlock[],
  ) {}

  static of(campaign: Campaign): ManifestBytes {
    const lines = Array.from(campaign.experiments, encodeExperiment)
    const blocks = inBlocks(lines, (first, end) => LineBlock.of(lines.slice(first, end)))
    return new ManifestBytes(encode(encodeHeader(campaign.header)), blocks)
  }

  /**
   * The bytes of a file as they are, which saves encoding all of it.
   * @returns null when their layout is not ours: a header as we write it, then each experiment on its line
   */
  static read(file: Buffer, campaign: Campaign): ManifestBytes | null {
    const header = encode(encodeHeader(campaign.header))
    const end = file.length - END.length
    if (!file.subarray(0, header.length).equals(header) || !file.subarray(end).equals(END)) return null
    const body = file.subarray(header.length, end)
    const starts = lineStarts(body)
    if (starts.length !== campaign.experiments.length) return null
    for (const [position, from] of starts.entries()) {
      const start = encodeStart(campaign.experiments.at(position).exp_id, position)
      if (body.toString('latin1', from, from + start.length) !== start) return null
    }
    const blocks = inBlocks(starts, (first, next) =>
      LineBlock.read(body, starts.slice(first, next), starts[next] ?? body.length),
    )
    return new ManifestBytes(header, blocks)
  }

  /** In the order of the file. */
  get parts(): readonly Uint8Array[] {
    return [this.header, ...this.blocks.map(({ bytes }) => bytes), END]
  }

  /** In one piece: slow readers of the same commit share one copy, for as long as one of them has it. */
  get whole(): Buffer {
    const known = this.joined?.deref()
    if (known !== undefined) return known
    const whole = Buffer.concat(this.parts)
    this.joined = new WeakRef(whole)
    return whole
  }

  list(positions: readonly number[]): readonly Uint8Array[] {
    return positions.map((position, index) => {
      const block = this.blockOf(position)
      // The comma before a line is the one of the list, which has none before its first item.
      return block.line(position % BLOCK, index === 0 && position > 0 ? COMMA.length : 0)
    })
  }

  experiment(position: number): Uint8Array {
    return this.blockOf(position).line(position % BLOCK, startOf(position))
  }

  sizeOf(position: number): number {
    return this.blockOf(position).lengthOf(position % BLOCK) - startOf(position)
  }

  /** The bytes after a commit. New positions follow the last one without a gap. */
  with(campaign: Campaign, changed: ChangedLines): ManifestBytes {
    const byBlock = new Map<number, Map<number, string>>()
    for (const [position, json] of changed) {
      const index = Math.floor(position / BLOCK)
      const lines = byBlock.get(index) ?? new Map<number, string>()
      byBlock.set(index, lines.set(position % BLOCK, experimentLine(json, position)))
    }
    const blocks = [...this.blocks]
    for (const [index, lines] of byBlock) {
      blocks[index] = (blocks[index] ?? LineBlock.of([])).with(lines)
    }
    return new ManifestBytes(encode(encodeHeader(campaign.header)), blocks)
  }

  private blockOf(position: number): LineBlock {
    const block = this.blocks[Math.floor(position / BLOCK)]
    if (block === undefined) throw new RangeError(`there is no experiment at ${position}`)
    return block
  }
}

/** Bytes of the line of an experiment before its JSON. */
function startOf(position: number): number {
  return position === 0 ? FIRST_START : OTHER_START
}

function inBlocks(lines: readonly unknown[], make: (first: number, next: number) => LineBlock): LineBlock[] {
  return Array.from({ length: Math.ceil(lines.length / BLOCK) }, (_, index) => make(index * BLOCK, (index + 1) * BLOCK))
}

/** In memory of its own: with a view of a pool the whole pool would be copied to the other thread. */
function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
