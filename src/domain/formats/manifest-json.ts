import type { Campaign } from '../campaign/campaign.ts'
import type { CampaignHeader } from '../campaign/manifest.ts'
import type { Experiment } from '../experiment/experiment.ts'

const EXPERIMENT_START = ',\n    '
export const MANIFEST_END = '\n  ]\n}\n'

/** The first lines of a manifest: a line for each key of the header, up to the opening of the list. */
export function encodeHeader(header: CampaignHeader): string {
  const lines = Object.entries(header).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`)
  return `{\n${lines.join('')}  "experiments": [`
}

/** One experiment as its line, with the line break before it and none within it. */
export function encodeExperiment(experiment: Experiment, position: number): string {
  return experimentLine(JSON.stringify(experiment), position)
}

/** The line of an experiment whose JSON is known; before the first there is no comma. */
export function experimentLine(json: string, position: number): string {
  return `${position === 0 ? EXPERIMENT_START.slice(1) : EXPERIMENT_START}${json}`
}

/** The start of the line of an experiment; the rest is up to the next line break. */
export function encodeStart(expId: string, position: number): string {
  return experimentLine(`{"exp_id":${JSON.stringify(expId)},`, position)
}

/** A whole manifest, as its file holds it. */
export function encodeManifest({ header, experiments }: Campaign): string {
  return `${encodeHeader(header)}${[...experiments].map(encodeExperiment).join('')}${MANIFEST_END}`
}
