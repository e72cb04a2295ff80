import type { Campaign } from '../../../domain/campaign/campaign.ts'
import { encodeHeader, experimentLine, MANIFEST_END } from '../../../domain/formats/manifest-json.ts'
import { isBreak, type LongWork } from '../../../domain/long-work.ts'
import type { EncodedManifest } from '../../campaign-store.ts'
import { LineBlock } from './line-block.ts'

/** Experiments in a block. */
export const BLOCK = 64
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
  private constructor(
    private readonly header: Uint8Array,
    /** `BLOCK` experiments each, the last one fewer. */
    private readonly blocks: readonly LineBlock[],
  ) {}

  /** @param lines JSON of the experiments by position, of those of which it is known */
  static *of({ header, experiments }: Campaign, lines: ChangedLines = new Map()): LongWork<ManifestBytes> {
    const blocks: LineBlock[] = []
    let block: string[] = []
    let position = 0
    for (const experiment of experiments) {
      block.push(experimentLine(lines.get(position) ?? JSON.stringify(experiment), position))
      position += 1
      if (block.length < BLOCK && position < experiments.length) continue
      blocks.push(LineBlock.of(block))
      block = []
      yield
    }
    return new ManifestBytes(encode(encodeHeader(header)), blocks)
  }

  /** The bytes of a file as they are, which saves encoding all of it. @param blocks of `BLOCK` experiments each, the last of fewer */
  static read(header: Uint8Array, blocks: readonly LineBlock[]): ManifestBytes {
    return new ManifestBytes(Uint8Array.from(header), blocks)
  }

  /** In the order of the file. */
  get parts(): readonly Uint8Array[] {
    return [this.header, ...this.blocks.map(({ bytes }) => bytes), END]
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
  *with(campaign: Campaign, changed: ChangedLines): LongWork<ManifestBytes> {
    const byBlock = new Map<number, Map<number, string>>()
    let count = 0
    for (const [position, json] of changed) {
      const index = Math.floor(position / BLOCK)
      const lines = byBlock.get(index) ?? new Map<number, string>()
      byBlock.set(index, lines.set(position % BLOCK, experimentLine(json, position)))
      count += 1
      if (isBreak(count)) yield
    }
    const blocks = [...this.blocks]
    for (const [index, lines] of byBlock) {
      blocks[index] = (blocks[index] ?? LineBlock.of([])).with(lines)
      yield
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

/** In memory of its own: with a view of a pool the whole pool would be copied to the other thread. */
function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
