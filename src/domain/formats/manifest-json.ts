import type { Campaign } from '../campaign/campaign.ts'
import type { CampaignHeader } from '../campaign/manifest.ts'

const EXPERIMENT_START = ',\n    '
/** Experiments in a piece. */
const PIECE = 64

export const MANIFEST_END = '\n  ]\n}\n'

/** The first lines of a manifest: a line for each key of the header, up to the opening of the list. */
export function encodeHeader(header: CampaignHeader): string {
  const lines = Object.entries(header).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`)
  return `{\n${lines.join('')}  "experiments": [`
}

/** The line of an experiment whose JSON is known, with the line break before it and none within it; before the first is no comma. */
export function experimentLine(json: string, position: number): string {
  return `${position === 0 ? EXPERIMENT_START.slice(1) : EXPERIMENT_START}${json}`
}

/** A whole manifest, as its file holds it, in pieces of a few experiments. */
export function* manifestPieces({ header, experiments }: Campaign): Generator<string, void> {
  let piece = encodeHeader(header)
  let position = 0
  for (const experiment of experiments) {
    piece += experimentLine(JSON.stringify(experiment), position)
    position += 1
    if (position % PIECE !== 0) continue
    yield piece
    piece = ''
  }
  yield `${piece}${MANIFEST_END}`
}
