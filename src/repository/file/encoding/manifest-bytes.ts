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

/** Experiments a block: a changed one re-copies a block of some 30 kB, and 10,000 make 157 of them. */
const BLOCK = 64
const COMMA = ','
const END = encode(MANIFEST_END)

/** What is different from the bytes before: positions of changed and of new experiments, with their JSON. */
export type ChangedLines = ReadonlyMap<number, string>

/**
 * The bytes of a manifest file, as an immutable value in blocks: a change copies the blocks that it touches and shares
 * the others. A slow reader of the bytes of one commit is not disturbed by the next, and nothing is encoded but what
 * changed.
 */
export class ManifestBytes implements EncodedManifest {
  private joined: WeakRef<Buffer> | null = null

  private constructor(
    private readonly header: Uint8Array,
    /** Each of the lines of `BLOCK` experiments, the last one of fewer. */
    private readonly blocks: readonly LineBlock[],
  ) {}

  static of(campaign: Campaign): ManifestBytes {
    const blocks: LineBlock[] = []
    let lines: string[] = []
    let position = 0
    for (const experiment of campaign.experiments) {
      lines.push(encodeExperiment(experiment, position))
      position += 1
      if (position % BLOCK === 0 || position === campaign.experiments.length) {
        blocks.push(LineBlock.of(lines))
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
    if (!file.subarray(0, header.length).equals(header) || !file.subarray(end).equals(END)) return null
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
    const blocks: LineBlock[] = []
    for (let first = 0; first < starts.length; first += BLOCK) {
      blocks.push(LineBlock.read(body, starts.slice(first, first + BLOCK), starts[first + BLOCK] ?? body.length))
    }
    return new ManifestBytes(header, blocks)
  }

  /** In the order of the file. */
  get parts(): readonly Uint8Array[] {
    return [this.header, ...this.blocks.map(({ bytes }) => bytes), END]
  }

  /**
   * In one piece, for as long as somebody has it: many who read the same manifest at once, slowly, share one copy.
   */
  get whole(): Buffer {
    const known = this.joined?.deref()
    if (known !== undefined) return known
    const whole = Buffer.concat(this.parts)
    this.joined = new WeakRef(whole)
    return whole
  }

  /** The lines of the experiments at the positions, as the items of a JSON list. */
  list(positions: readonly number[]): readonly Uint8Array[] {
    return positions.map((position, index) => {
      const block = this.blocks[Math.floor(position / BLOCK)]
      if (block === undefined) throw new RangeError(`there is no experiment at ${position}`)
      // The comma before a line is the one that a list needs, but for its first.
      return block.line(position % BLOCK, index === 0 && position > 0 ? COMMA.length : 0)
    })
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
}

/** In memory of its own: a view of a shared pool would take the whole pool along to another thread. */
function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
